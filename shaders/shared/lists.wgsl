// Which slots a stage works on, as `compact` wrote them down.
//
// One entry (slots to evaluate, unfinished slots); then as many entries (slot, model) for the slots to evaluate as there are slots,
// and as many for the unfinished ones.
@group(2) @binding(0) var<storage, read> lists: array<vec2<u32>>;
