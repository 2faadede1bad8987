// A colour for each class, of any number: the nth class has the same one however many follow.

// Chosen by eye. All are dark enough for lines on white paper, and light enough for the lists in the dark.
const FIRST = [
  [0.526, 0.134, 247],
  [0.586, 0.173, 41],
  [0.558, 0.163, 141],
  [0.517, 0.192, 303],
  [0.607, 0.125, 81],
  [0.55, 0.194, 1],
  [0.588, 0.099, 190],
  [0.471, 0, 0],
];
const [LIGHTNESSES, CHROMAS, HUE] = [[0.4, 0.5, 0.58, 0.65], [0.05, 0.1, 0.15, 0.2, 0.25], 15];

// Lightness, chroma and hue of OKLCH as a place where distance is difference to the eye (OKLab).
function place([lightness, chroma, hue]) {
  const angle = (hue * Math.PI) / 180;
  return [lightness, chroma * Math.cos(angle), chroma * Math.sin(angle)];
}

// Whether a screen has it: its red, green and blue lie in 0 to 1.
function isShown(colour) {
  const [lightness, a, b] = place(colour);
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const parts = [
    4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
    -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
    -0.0041960863 * long - 0.7034186147 * middle + 1.707614701 * short,
  ];
  return parts.every((part) => part >= 0 && part <= 1);
}

function candidates() {
  const hues = Array.from({ length: 360 / HUE }, (_, step) => step * HUE);
  const all = LIGHTNESSES.flatMap((light) => CHROMAS.flatMap((chroma) => hues.map((hue) => [light, chroma, hue])));
  return all.filter(isShown);
}

const difference = (one, other) => Math.hypot(...place(one).map((part, axis) => part - place(other)[axis]));

// The first eight, then always the one that differs most from all before; from some 250 on they come again.
function palette(count) {
  const chosen = [...FIRST];
  let left = candidates();
  while (chosen.length < count && left.length > 0) {
    const leasts = left.map((one) => Math.min(...chosen.map((other) => difference(one, other))));
    const best = left[leasts.indexOf(Math.max(...leasts))];
    chosen.push(best);
    left = left.filter((one) => one !== best);
  }
  return Array.from({ length: count }, (_, nth) => chosen[nth % chosen.length]);
}

// Gives the classes k0, k1, … of the page their colours.
export function paint(count) {
  const sheet = new CSSStyleSheet();
  palette(count).forEach((colour, nth) => sheet.insertRule(`.k${nth} { --k: oklch(${colour.join(" ")}); }`));
  document.adoptedStyleSheets = [sheet];
}
