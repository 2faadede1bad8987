"""What the split firewall catches, and what it wrongly joins.

    python -m benchmarks.firewall FOLDER [FOLDER ...]

YOLO folders; `drawn` stands for the demo's sheets, and `alike:1000` for so many sheets of four drawing sets, in each of
which all sheets share frame and title block.

Of every sheet of a folder, copies of each kind are planted on the other side of the split, and all are compared with
all. Printed per kind: the share of sheets whose copy was found, by the firewall's bar (SAME) and by the leak meter's
(NEAR), and the least agreement of a copy; then every pair of distinct sheets that would be joined (to be looked at by
eye), the strangers that came nearest, and the seconds. With --pairs DIR the joined pairs are written there side by
side. For large sets: --kinds and --planted choose what is planted, and on how many sheets, evenly spread; --answers
asks only what the firewall says, by its own bar, which is many times as fast as laying all proposed pairs.
"""

import argparse
import time
from pathlib import Path

import cv2  # noqa: TID253
import numpy as np

from benchmarks.alike import draw_alike
from demo.drawing.sets import DEFAULT_COUNTS, draw_set
from stages.base.decoding import read_bgr
from stages.dataset.sheets.split_folder import IMAGE_SUFFIXES
from stages.firewall.candidate_search import candidates
from stages.firewall.copies import NEAR, SAME, Fingerprint
from stages.firewall.fingerprinting import fingerprint
from stages.firewall.laying.alignment import likeness
from stages.firewall.signatures import copies


def encoded(image, suffix, *options):
    """Return the image after a round through a file format."""
    return cv2.imdecode(cv2.imencode(suffix, image, list(options))[1], cv2.IMREAD_COLOR)


def scaled(image, factor):
    """Return the image brighter or darker, clipped at white."""
    return np.clip(image * factor, 0, 255).astype(np.uint8)


def contrast(image, factor):
    """Return the image with its contrast scaled around middle grey."""
    return np.clip((image - 127.5) * factor + 127.5, 0, 255).astype(np.uint8)


def cropped(image, share, rng):
    """Cut `share` of both sides, at a random place."""
    height, width = (round(side * (1 - share)) for side in image.shape[:2])
    top, left = (
        int(rng.integers(whole - part + 1)) for whole, part in zip(image.shape[:2], (height, width), strict=True)
    )
    return image[top : top + height, left : left + width]


# Exact and renamed copies are the same bytes under the same or another name: names play no part.
KINDS = {
    "exact, renamed, .rf.": lambda image, rng: image,
    "JPEG 30": lambda image, rng: encoded(image, ".jpg", cv2.IMWRITE_JPEG_QUALITY, 30),
    "resized 50 %": lambda image, rng: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "stretched to a square": lambda image, rng: cv2.resize(image, (640, 640)),
    "brightness +15 %": lambda image, rng: scaled(image, 1.15),
    "brightness -15 %": lambda image, rng: scaled(image, 0.85),
    "contrast +15 %": lambda image, rng: contrast(image, 1.15),
    "contrast -15 %": lambda image, rng: contrast(image, 0.85),
    "rotated 90°": lambda image, rng: np.rot90(image),
    "cropped 5 %": lambda image, rng: cropped(image, 0.05, rng),
    "cropped 20 %": lambda image, rng: cropped(image, 0.2, rng),
}


def sheets_of(folder):
    """Return the images of a folder, or of the demo, by file name."""
    if folder == "drawn":
        drawn = draw_set(0, DEFAULT_COUNTS)
        return {
            name: cv2.cvtColor(sheet.pixels, cv2.COLOR_GRAY2BGR) for found in drawn.values() for name, sheet in found
        }
    if folder.startswith("alike:"):
        return draw_alike(int(folder.partition(":")[2]))
    files = sorted(file for file in Path(folder).rglob("*") if file.suffix.lower() in IMAGE_SUFFIXES)
    return {file.name: read_bgr(file) for file in files}


def best(mine: list[Fingerprint], theirs: list[Fingerprint]) -> dict[tuple[int, int], float]:
    """Return the agreement of every proposed pair, from whichever side it is higher."""
    found: dict[tuple[int, int], float] = {}
    for pair in candidates(mine, theirs):
        key = pair.whole, pair.part
        found[key] = max(found.get(key, 0), likeness(mine[pair.whole], theirs[pair.part], pair))
    if mine is not theirs:
        for pair in candidates(theirs, mine):
            key = pair.part, pair.whole
            found[key] = max(found.get(key, 0), likeness(theirs[pair.whole], mine[pair.part], pair))
    return found


def answered(mine: list[Fingerprint], theirs: list[Fingerprint]) -> dict[tuple[int, int], float]:
    """Return 1 for every pair that the firewall calls copies."""
    here = {f"mine {place}": one for place, one in enumerate(mine)}
    there = here if mine is theirs else {f"planted {place}": one for place, one in enumerate(theirs)}
    return {(int(one.split()[1]), int(other.split()[1])): 1.0 for one, other in copies(here, there)}


def recall(name, images, prints, change, rng, places, compare):
    """Plant one kind of copy of the sheets at `places`, print what was found, and return the wrong pairs."""
    planted = [fingerprint(change(images[i], rng)) for i in places]
    found = {(i, places[j]): value for (i, j), value in compare(prints, planted).items()}
    own = np.array([found.get((i, i), 0.0) for i in places])
    wrong = {tuple(sorted(key)) for key, value in found.items() if key[0] != key[1] and value >= SAME}
    least = f"{own[own > 0].min():.2f}" if own.any() else "-"
    print(f"  {name:<22}{(own >= SAME).mean():>7.1%}{(own >= NEAR).mean():>8.1%}{least:>8}{len(wrong):>8}", flush=True)
    return wrong


def strangers(names, prints, compare):
    """Compare all sheets with all, print what that took, and return the pairs that are joined or near."""
    started = time.monotonic()
    found = compare(prints, prints)
    seconds = time.monotonic() - started
    pairs = {tuple(sorted(key)): 0.0 for key in found if key[0] != key[1]}
    for key in pairs:
        pairs[key] = max(found.get(key, 0), found.get(key[::-1], 0))
    ordered = sorted(pairs.items(), key=lambda item: -item[1])
    total = len(names) * (len(names) - 1) // 2
    print(f"  {total} pairs of sheets: {len(pairs)} looked at or joined, {seconds:.1f} s in all")
    below = [value for _, value in ordered if value < NEAR]
    print(f"  nearest that stay apart: {', '.join(f'{value:.2f}' for value in below[:5])}")
    return [(key, value) for key, value in ordered if value >= NEAR]


def measure(folder, asked):
    """Print the tables of one folder, as the options ask."""
    pairs, compare = asked.pairs, answered if asked.answers else best
    sheets = sheets_of(folder)
    names, images = list(sheets), list(sheets.values())
    started = time.monotonic()
    prints = [fingerprint(image) for image in images]
    print(
        f"\n{folder}: {len(names)} sheets, {(time.monotonic() - started) / len(names) * 1e3:.0f} ms for a fingerprint"
    )
    joined = strangers(names, prints, compare)
    for (i, j), value in joined:
        print(f"  {'JOINED' if value >= SAME else 'near  '} {value:.2f}: {names[i]} and {names[j]}")
        if pairs:
            pairs.mkdir(exist_ok=True)
            both = [cv2.resize(images[k], (800, 600), interpolation=cv2.INTER_AREA) for k in (i, j)]
            cv2.imwrite(str(pairs / f"{value:.2f}_{names[i]}_{names[j]}.jpg"), np.hstack(both))
    known = {key for key, value in joined if value >= SAME}
    print(f"  {'planted copies':<22}{'found':>7}{'near':>8}{'least':>8}{'false':>8}")
    rng = np.random.default_rng(0)
    places = (
        np.linspace(0, len(images) - 1, min(asked.planted or len(images), len(images))).round().astype(int).tolist()
    )
    for name in asked.kinds:
        wrong = recall(name, images, prints, KINDS[name], rng, places, compare) - known
        for i, j in sorted(wrong):
            print(f"    false alarm: {names[i]} and {names[j]}")


def main():
    """Measure the folders of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+")
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--planted", type=int)
    parser.add_argument("--answers", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"a copy: agreement of {SAME} or more; a near copy: {NEAR}; false: pairs of distinct sheets joined by a copy")
    for folder in arguments.folders:
        measure(folder, arguments)


if __name__ == "__main__":
    main()
