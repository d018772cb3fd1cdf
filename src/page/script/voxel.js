// The chosen spectrum's voxel on an image of the head, in three planes through its middle.
const VOXEL_GAP = 8;
const VOXEL_BELOW = 18;
const VOXEL_MOST = 190;
let voxelView = null;

// The greys of a plane as a canvas of its own, which the browser then enlarges.
function planePicture({ extents: [width, height] }, greys, most) {
  const canvas = el("canvas", { width, height });
  const pixels = new Uint8ClampedArray(4 * width * height);
  for (let y = 0; y < height; y++) {
    let grey = 0;
    for (let x = 0; x < width; x++) {
      const at = y * width + x;
      grey = (grey + greys[at]) & 255;
      pixels.fill((255 * grey) / most, 4 * at, 4 * at + 3);
      pixels[4 * at + 3] = 255;
    }
  }
  canvas.getContext("2d").putImageData(new ImageData(pixels, width, height), 0, 0);
  return canvas;
}

function showVoxel(voxel) {
  voxelView = null;
  if (voxel) {
    let from = 0;
    const planes = voxel.planes.map((plane) => {
      const [width, height] = plane.extents;
      const picture = planePicture(plane, voxel.greys.subarray(from, from + width * height), voxel.most);
      from += width * height;
      return { ...plane, picture };
    });
    voxelView = { planes };
    $("voxel-caption").replaceChildren("Voxel on ", bdi(voxel.image));
    $("voxel").setAttribute("aria-label", `Voxel on the image, ${planes.map((plane) => `${plane.name} ${plane.at_mm} mm`).join(", ")}`);
  }
  drawVoxel();
}

function drawVoxel() {
  $("voxel-figure").hidden = !voxelView;
  if (!voxelView) return;
  const { planes } = voxelView;
  const across = planes.reduce((sum, plane) => sum + plane.extents[0], 0);
  const tallest = Math.max(...planes.map((plane) => plane.extents[1]));
  const room = $("voxel").clientWidth - VOXEL_GAP * (planes.length - 1);
  const scale = Math.min(room / across, VOXEL_MOST / tallest);
  const { pen } = context($("voxel"), tallest * scale + VOXEL_BELOW);
  let left = 0;
  for (const plane of planes) {
    const [width, height] = plane.extents.map((pixels) => pixels * scale);
    pen.drawImage(plane.picture, left, 0, width, height);
    pen.save();
    pen.beginPath();
    pen.rect(left, 0, width, height);
    pen.clip();
    line(pen, plane.outline.map(([x, y]) => [left + x * scale, y * scale]), "rgb(230, 80, 20)", 1.5);
    pen.restore();
    const below = height + 10;
    text(pen, plane.ends[0], left, below, colours.muted);
    text(pen, `${plane.name} ${plainNumber(plane.at_mm)} mm`, left + width / 2, below, colours.muted, "center");
    text(pen, plane.ends[1], left + width, below, colours.muted, "right");
    left += width + VOXEL_GAP;
  }
}
