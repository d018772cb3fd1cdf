// Carried FIDs at the shifts and widths of each request, before the lineshape that components share.
//
// One workgroup a request and member.
#import "shared/requests.wgsl"
#import "shared/trigonometry.wgsl"

@compute @workgroup_size(THREADS)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let r = group.y;
    let k = group.x;
    if (k >= requests[r].n_members) { return; }
    sizes = models[requests[r].model];
    let own = member(r, k);
    let out = carried_of(r, k);
    for (var i = thread; i < sizes.n_carried; i += THREADS) {
        let t = constants[sizes.time + i];
        let exponent = clamp(-own.damping * t - own.gauss * own.gauss * t * t, -80.0, 20.0);
        carried[out + i] = exp(exponent) * multiply(fids[sizes.fids + own.fid * sizes.n_carried + i], circle(own.shift_hz * t));
    }
}
