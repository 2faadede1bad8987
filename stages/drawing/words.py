"""What is written on sheets: rooms, notes, names of views, scales, numbers."""

from stages.drawing.page import Page

ROOMS = (
    "KITCHEN", "BEDROOM", "BEDROOM 2", "LIVING", "DINING", "BATH", "OFFICE", "CLOSET", "FOYER", "STORAGE", "CORRIDOR",
    "MECH.", "ELEC.", "LOBBY", "CONFERENCE", "LAUNDRY", "GARAGE", "DECK", "STUDY", "PANTRY", "JANITOR", "OPEN OFFICE",
    "WAITING", "EXAM 1", "EXAM 2", "VESTIBULE", "CLASSROOM", "STAIR A", "MEN", "WOMEN", "LIBRARY", "CAFE",
)  # fmt: skip
NOTES = (
    ("PRE-FINISHED ALUM.", "COPING"), ("EXISTING STL. ANGLE", "TO REMAIN"), ("FLUID APPLIED", "AIR BARRIER"),
    ("5/8\" GYP. BD.",), ("BATT INSUL. (R-13)",), ("FACE BRICK",), ("RIGID INSULATION",), ("#5 BARS @ 12\" O.C.",),
    ("4\" CONC. SLAB", "ON GRADE"), ("VAPOR BARRIER",), ("2X10 JOISTS", "@ 16\" O.C."), ("METAL FLASHING",),
    ("COMPACTED FILL",), ("SEE STRUCTURAL",), ("TREATED SILL PL.",), ("1/2\" ANCHOR BOLT", "@ 4'-0\" O.C."),
    ("SEALANT, TYP.",), ("STL. LINTEL",), ("PTD. WOOD TRIM",), ("CONT. VENT",), ("(E) FOOTING",), ("GLAZING",),
    ("DRAIN TILE",), ("3/4\" PLYWOOD",), ("W12X26 BEAM",), ("BASE AS", "SCHEDULED"), ("ALIGN",), ("SIM.",), ("TYP.",),
)  # fmt: skip
GENERAL = (
    "VERIFY ALL DIMENSIONS IN FIELD.", "DO NOT SCALE DRAWINGS.", "SEE STRUCTURAL FOR FOOTINGS.",
    "ALL WORK TO CONFORM TO CODE.", "PATCH ALL DISTURBED FINISHES.", "COORDINATE WITH M.E.P.",
    "INSTALL PER MANUFACTURER.", "PROTECT EXISTING TREES.", "PROVIDE BLOCKING AT CABINETS.", "MATCH EXISTING FINISH.",
)  # fmt: skip
HEADINGS = ("GENERAL NOTES", "NOTES:", "KEYNOTES", "LEGEND", "PLAN NOTES", "ABBREVIATIONS")
SCHEDULES = ("DOOR SCHEDULE", "WINDOW SCHEDULE", "ROOM FINISHES", "LINTEL SCHEDULE", "FIXTURES")
VIEWS = {
    "plan": ("FLOOR PLAN", "FIRST FLOOR PLAN", "LEVEL 2 PLAN", "DEMO PLAN", "ENLARGED PLAN", "BASEMENT PLAN"),
    "roof": ("ROOF PLAN", "SITE PLAN", "ROOF FRAMING", "UPPER ROOF PLAN", "PAVING PLAN"),
    "facade": ("NORTH ELEVATION", "EAST ELEVATION", "SOUTH ELEV.", "WEST ELEVATION", "FRONT ELEVATION", "ELEVATION"),
    "section": ("WALL SECTION", "SECTION", "TYP. SECTION", "BUILDING SECTION", "SECTION A-A"),
    "joint": ("FOOTING DETAIL", "JAMB DETAIL", "SILL DETAIL", "HEAD DETAIL", "EAVE DETAIL", "CURB DETAIL", "DETAIL"),
    "papers": ("KEY PLAN", "PARTITION TYPES", "LINE DIAGRAM", "CABINETS"),
}  # fmt: skip
SCALES = (
    "SCALE: 1/4\" = 1'-0\"", "SCALE: 1/8\" = 1'-0\"", "3/4\" = 1'-0\"", "SCALE: 3\" = 1'-0\"", "1 1/2\" = 1'-0\"",
    "NOT TO SCALE", "N.T.S.", "SCALE: 1\" = 20'", "SCALE 1:50", "1 : 100",
)  # fmt: skip


def sheet_number(page: Page) -> str:
    """Return the number of another sheet, after the style's pattern."""
    return "".join(str(page.count(1, 9)) if letter == "#" else letter for letter in page.style.sheet)


def view_number(page: Page) -> str:
    """Return the number of a view on its sheet."""
    number = str(page.count(1, 9) if page.chance(0.8) else page.count(10, 24))
    return page.pick("ABCDEFG") + str(page.count(1, 6)) if page.style.lettered else number


def feet(page: Page, low: int, high: int) -> str:
    """Return a length of low to high feet."""
    return f"{page.count(low, high)}'-{page.pick((0, 0, 2, 4, 6, 8, 10))}\""
