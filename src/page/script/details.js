// What a click shows lies in one small deflated piece a row: in the page for some, in files beside it for the others.
const pieces = new Map();
const fileOf = new Map();
const waiting = new Map();
let inside = null;
D.files.forEach((rows, file) => rows.forEach((row) => fileOf.set(row, file)));

// A script element reads a file beside the page also where it was opened from a disk, which fetch does not.
window.requantDetails = (file, found) => {
  for (const [row, text] of Object.entries(found)) pieces.set(Number(row), text);
};

function loadFile(file) {
  if (!waiting.has(file)) {
    waiting.set(file, new Promise((done, failed) => {
      const name = `curves-${String(file).padStart(5, "0")}.js`;
      const script = el("script", { src: `${encodeURIComponent(D.folder)}/${name}` });
      script.onload = () => done();
      script.onerror = () => {
        waiting.delete(file);
        failed(new Error(`${D.folder}/${name} is not there: keep that folder beside the page, or make the page again with requant report`));
      };
      document.head.append(script);
    }));
  }
  return waiting.get(file);
}

async function pieceOf(row) {
  inside ??= JSON.parse($("inside").textContent);
  if (inside[row]) return inside[row];
  if (!pieces.has(row)) await loadFile(fileOf.get(row));
  return pieces.get(row);
}

async function inflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Whole numbers from their low and high bytes.
function wholeNumbers(bytes) {
  const n = bytes.length / 2;
  const numbers = new Int16Array(n);
  for (let i = 0; i < n; i++) {
    const zigzag = bytes[i] | (bytes[n + i] << 8);
    numbers[i] = (zigzag >>> 1) ^ -(zigzag & 1);
  }
  return numbers;
}

// Undoes differences of differences.
function curved(bends, unit) {
  const curve = new Float64Array(bends.length);
  let [last, slope] = [0, 0];
  for (let i = 0; i < bends.length; i++) {
    slope = ((slope + bends[i]) << 16) >> 16;
    last = ((last + slope) << 16) >> 16;
    curve[i] = last * unit;
  }
  return curve;
}

function curvesOf(layout, bytes) {
  const { n, unit } = layout;
  const numbers = wholeNumbers(bytes);
  const part = (at) => numbers.subarray(at * n, (at + 1) * n);
  const fit = curved(part(0), unit);
  const residual = Float64Array.from(part(1), (value) => value * unit);
  const step = (layout.ppm[1] - layout.ppm[0]) / (n - 1);
  return {
    ppm: Float64Array.from({ length: n }, (_, i) => layout.ppm[0] + i * step),
    fit, residual,
    data: fit.map((value, i) => value + residual[i]),
    baseline: curved(part(2), unit),
    components: layout.names.map((name, at) => ({ name, curve: curved(part(3 + at), 4 * unit) })),
    zero: layout.zero,
  };
}

async function detailOf(row) {
  const bytes = await inflated(bytesOf(await pieceOf(row)));
  const length = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const picture = bytes.length - (head.voxel?.bytes ?? 0);
  return {
    ...head,
    curves: head.curves ? curvesOf(head.curves, bytes.subarray(4 + length, picture)) : null,
    voxel: head.voxel ? { ...head.voxel, greys: bytes.subarray(picture) } : null,
  };
}
