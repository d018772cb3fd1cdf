// Lists of the spectra that are to be evaluated and of those that are not finished, in their order, and the number of
// workgroups that each stage needs for them.
//
// One workgroup in all.
#import "shared/batch.wgsl"

// The lists of `shared/lists.wgsl`.
@group(3) @binding(0) var<storage, read_write> new_lists: array<vec2<u32>>;
// Arguments of an indirect dispatch, three numbers a stage.
@group(3) @binding(1) var<storage, read_write> arguments: array<u32>;

var<workgroup> counts: array<vec2<u32>, THREADS>;

@compute @workgroup_size(THREADS)
fn main(@builtin(local_invocation_index) thread: u32) {
    let share = (slots.n_slots + THREADS - 1u) / THREADS;
    let first = min(thread * share, slots.n_slots);
    let end = min(first + share, slots.n_slots);
    var mine = vec2<u32>(0u);
    for (var s = first; s < end; s++) {
        let phase = scalars[s].phase;
        if (phase <= EVALUATE) { mine.x++; }
        if (phase != DONE) { mine.y++; }
    }
    counts[thread] = mine;
    workgroupBarrier();
    if (thread == 0u) {
        var sum = vec2<u32>(0u);
        for (var t = 0u; t < THREADS; t++) {
            let here = counts[t];
            counts[t] = sum;
            sum += here;
        }
        new_lists[0] = sum;
        let tiles = (slots.most_columns + 127u) / 128u;
        write_arguments(STAGE_COMPONENTS, slots.most_components, sum.x);
        write_arguments(STAGE_COMMON, sum.x, 1u);
        write_arguments(STAGE_PRODUCTS, tiles * (tiles + 1u) / 2u, sum.x);
        write_arguments(STAGE_WEIGHTS, sum.x, 1u);
        write_arguments(STAGE_STEP, sum.y, 1u);
        write_arguments(STAGE_TRIAL, sum.y, 1u);
        write_arguments(STAGE_DECIDE, sum.y, 1u);
    }
    workgroupBarrier();
    var at = counts[thread];
    for (var s = first; s < end; s++) {
        let phase = scalars[s].phase;
        if (phase <= EVALUATE) {
            new_lists[1u + at.x] = vec2<u32>(s, scalars[s].model);
            at.x++;
        }
        if (phase != DONE) {
            new_lists[1u + slots.n_slots + at.y] = vec2<u32>(s, scalars[s].model);
            at.y++;
        }
    }
}

fn write_arguments(stage: u32, x: u32, y: u32) {
    arguments[3u * stage] = x;
    arguments[3u * stage + 1u] = y;
    arguments[3u * stage + 2u] = 1u;
}
