"""What is written on sheets: rooms, notes, names of views, scales, numbers."""

from demo.drawing.page import Page

ROOMS = (
    "KITCHEN", "BEDROOM", "BEDROOM 2", "LIVING", "DINING", "BATH", "OFFICE", "CLOSET", "FOYER", "STORAGE", "CORRIDOR",
    "MECH.", "ELEC.", "LOBBY", "CONFERENCE", "LAUNDRY", "GARAGE", "DECK", "STUDY", "PANTRY", "JANITOR", "OPEN OFFICE",
    "WAITING", "EXAM 1", "EXAM 2", "VESTIBULE", "CLASSROOM", "STAIR A", "MEN", "WOMEN", "LIBRARY", "CAFE",
)  # fmt: skip
NOTES = {  # what a leader may say about what it points at
    "roof": (("PRE-FINISHED ALUM.", "COPING"), ("METAL FLASHING",), ("ASPHALT SHINGLES",),
             ("2X10 RAFTERS", "@ 16\" O.C."), ("ROOF MEMBRANE",), ("3/4\" PLYWOOD",), ("CONT. VENT",),
             ("NEW ROOF INSUL.", "OVER (E) DECK,", "SEE ROOF PLAN", "FOR SLOPES")),
    "wall": (("BATT INSUL. (R-13)",), ("5/8\" GYP. BD.",), ("VAPOR BARRIER",), ("2X6 STUDS", "@ 16\" O.C."),
             ("RIGID INSULATION",), ("TREATED SILL PL.",), ("EXISTING STUD", "TO REMAIN"),
             ("EIFS W/ ROUGH", "TEXTURE AT EXT.", "(BASE BID)", "- SEE SPECS")),
    "skin": (("FACE BRICK",), ("FLUID APPLIED", "AIR BARRIER"), ("WEEP HOLES", "@ 24\" O.C."), ("BRICK TIES",),
             ("STUCCO",), ("(E) BRICK: CLEAN", "AND REPOINT, SEE", "EXT. NOTES")),
    "slab": (("4\" CONC. SLAB", "ON GRADE"), ("6X6 W.W.F.",), ("EXP. JOINT",), ("(E) SLAB",)),
    "footing": (("#5 BARS @ 12\" O.C.",), ("3-#5 CONT.",), ("CONC. FOOTING",), ("(E) FOOTING",), ("DRAIN TILE",),
                ("SEE STRUCTURAL",), ("1/2\" ANCHOR BOLT", "@ 4'-0\" O.C.")),
    "steel": (("W12X26 BEAM",), ("3/4\" A325 BOLTS",), ("L4X4X3/8",), ("PL 1/2X6",), ("EXISTING STL.", "TO REMAIN"),
              ("TYP.",)),
    "window": (("GLAZING",), ("SEALANT, TYP.",), ("PTD. WOOD TRIM",), ("STL. LINTEL",), ("ALUM. FRAME",), ("ALIGN",)),
    "site": (("PROPERTY LINE",), ("SETBACK",), ("(E) TREE", "TO REMAIN"), ("CONC. WALK",)),
}  # fmt: skip
GENERAL = (
    "VERIFY ALL DIMENSIONS IN FIELD.", "DO NOT SCALE DRAWINGS.", "SEE STRUCTURAL FOR FOOTINGS.",
    "ALL WORK TO CONFORM TO CODE.", "PATCH ALL DISTURBED FINISHES.", "COORDINATE WITH M.E.P.",
    "INSTALL PER MANUFACTURER.", "PROTECT EXISTING TREES.", "PROVIDE BLOCKING AT CABINETS.", "MATCH EXISTING FINISH.",
)  # fmt: skip
HEADINGS = ("GENERAL NOTES", "NOTES:", "KEYNOTES", "LEGEND", "PLAN NOTES", "ABBREVIATIONS")
SCHEDULES = ("DOOR SCHEDULE", "WINDOW SCHEDULE", "ROOM FINISHES", "LINTEL SCHEDULE", "FIXTURES")
VIEWS = {  # names by what a view shows; a view without any has no title
    "plan": ("FLOOR PLAN", "FIRST FLOOR PLAN", "LEVEL 2 PLAN", "DEMO PLAN", "ENLARGED PLAN", "BASEMENT PLAN",
             "UNIT B PLAN"),
    "roof": ("ROOF PLAN", "ROOF FRAMING", "UPPER ROOF PLAN", "LOW ROOF PLAN"),
    "site": ("SITE PLAN", "PLOT PLAN", "SITE LAYOUT", "PAVING PLAN"),
    "facade": ("NORTH ELEVATION", "EAST ELEVATION", "SOUTH ELEV.", "WEST ELEVATION", "FRONT ELEVATION", "ELEVATION"),
    "section": ("WALL SECTION", "SECTION", "TYP. SECTION", "EXT. WALL SECTION", "SECTION A-A"),
    "footing": ("FOOTING DETAIL", "SPREAD FOOTING", "FTG. AT GRID 4", "TYP. FOOTING"),
    "beam": ("BEAM DETAIL", "SHEAR TAB", "BEAM CONN.", "TYP. CONNECTION"),
    "jamb": ("JAMB DETAIL", "WINDOW JAMB", "JAMB AT STUD", "DOOR JAMB"),
    "eave": ("EAVE DETAIL", "ROOF EDGE", "SOFFIT DETAIL", "DETAIL"),
    "key": ("KEY PLAN", "AREA PLAN"),
}  # fmt: skip
PARTS = (
    " - TYPICAL",
    " - BLOCK A",
    " - GRID C",
    " - LEVEL 2",
    " - WEST",
    " - NEW",
    " - DEMO",
    " - AREA B",
)  # of a building
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
