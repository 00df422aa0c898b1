#!/usr/bin/env python3
"""The rules of scripts/lint.sh that need more than a pattern. Prints `FILE:LINE: …` and the rule for each finding.

The rules read source text, not a compiler's tree: strings, comments and tests are taken out, `use` trees are expanded,
and paths are resolved from `crate::`, `super::` and `self::`. No macro is expanded.
"""

import re
import sys
from pathlib import Path

found = 0
LAYERS = Path("crates/app/layers.txt")
TABLES = Path("crates/store/tables.txt")


def report(path, line, what, rule):
    global found
    found += 1
    print(f"{path}:{line}: {what}\n  {rule}")


# --- Rust text -------------------------------------------------------------------------------------------------------

NOT_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|\bb?r(?P<fence>\#*)".*?"(?P=fence)|b?"(?:\\.|[^"\\])*"|'(?:\\[^\n']{1,10}|[^'\\\n])'""", re.S
)
TEST_PART = re.compile(r"#\[cfg\(test\)\]\s*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?\s+)?[^;{]*(?P<end>[;{])")


def blank(text):
    """Spaces for everything but line ends: places stay what they are."""
    return re.sub(r"[^\n]", " ", text)


def closing(text, at):
    """The place behind the brace that closes the one at `at`."""
    depth = 0
    for brace in re.finditer(r"[{}]", text[at:]):
        depth += 1 if brace.group() == "{" else -1
        if depth == 0:
            return at + brace.end()
    return len(text)


def cleaned(text):
    """Text without comments, strings and tests; and the same with its strings."""
    code = NOT_CODE.sub(lambda m: blank(m.group()), text)
    strings = NOT_CODE.sub(lambda m: blank(m.group()) if m.group()[0] == "/" else m.group(), text)
    at = 0
    while part := TEST_PART.search(code, at):
        end = closing(code, part.end() - 1) if part.group("end") == "{" else part.end()
        gap = blank(code[part.start() : end])
        code = code[: part.start()] + gap + code[end:]
        strings = strings[: part.start()] + gap + strings[end:]
        at = end
    return code, strings


class Source:
    """A file of Rust outside tests."""

    def __init__(self, path, src):
        self.path = path
        self.crate = src.parent.name
        self.raw = path.read_text(encoding="utf-8")
        self.code, self.strings = cleaned(self.raw)
        inside = path.relative_to(src).with_suffix("").parts
        self.module = tuple(part for part in inside if part not in ("mod", "lib", "main"))

    def line(self, at):
        return self.raw.count("\n", 0, at) + 1


def is_test(path):
    return path.name in ("tests.rs", "testing.rs") or "tests" in path.parts or "testing" in path.parts


def sources(src):
    return [Source(path, src) for path in sorted(src.rglob("*.rs")) if not is_test(path)]


def leaves(tree, base=()):
    """The paths of a `use` tree: `a::{b, c::d}` is a::b and a::c::d."""
    tree = tree.strip()
    if "{" not in tree:
        return [base + tuple(part.split(" as ")[0].strip() for part in tree.split("::") if part.strip())]
    head, rest = tree.split("{", 1)
    base += tuple(part.strip() for part in head.split("::") if part.strip())
    rest = rest[: rest.rindex("}")]
    found, depth, start = [], 0, 0
    for at, letter in enumerate(rest + ","):
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            if rest[start:at].strip():
                found += leaves(rest[start:at], base)
            start = at + 1
    return found


USE = re.compile(r"\buse\s+((?:crate|super|self)\b[^;]*);")
INLINE = re.compile(r"(?<![\w:])((?:crate|super|self)(?:::\w+)+)")


def inline_module(text, at):
    """How many `mod x {` stand around a place."""
    return sum(1 for m in re.finditer(r"\bmod\s+\w+\s*\{", text[:at]) if closing(text, m.end() - 1) > at)


def references(source):
    """(place, path from the crate's root) of everything that a file names in its own crate."""
    paths = []
    for use in USE.finditer(source.code):
        paths += [(use.start(), leaf) for leaf in leaves(use.group(1))]
    without_use = USE.sub(lambda m: blank(m.group()), source.code)
    paths += [(m.start(), tuple(m.group(1).split("::"))) for m in INLINE.finditer(without_use)]
    for at, path in paths:
        if path[0] == "crate":
            yield at, path[1:]
            continue
        base = source.module + ("?",) * inline_module(source.code, at)
        while path and path[0] in ("super", "self"):
            base = base[:-1] if path[0] == "super" else base
            path = path[1:]
        yield at, base + path


def exported(files):
    """Where names that stand in a folder's own file come from: `pub use a::B` in lib.rs makes crate::B module a's."""
    names = {}
    for source in files:
        if source.path.name not in ("lib.rs", "main.rs", "mod.rs"):
            continue
        for use in re.finditer(r"\buse\s+([^;]*);", source.code):
            for leaf in leaves(use.group(1)):
                leaf = leaf[1:] if leaf and leaf[0] in ("self", "crate") else leaf
                if len(leaf) > 1:
                    names.setdefault((source.module, leaf[-1]), leaf[0])
    return names


def edges(files, depth=0, within=()):
    """Who uses whom among the modules directly in `within`: {(user, used): (source, place)}."""
    inside = [s for s in files if s.module[:depth] == within]
    modules = {s.module[depth] for s in inside if len(s.module) > depth}
    names = exported(inside)
    found = {}
    for source in inside:
        if len(source.module) <= depth:
            continue
        user = source.module[depth]
        for at, path in references(source):
            if path[:depth] != within or len(path) <= depth:
                continue
            used = path[depth]
            used = used if used in modules else names.get((within, used))
            if used in modules and used != user:
                found.setdefault((user, used), (source, at))
    return found


# --- Rules -----------------------------------------------------------------------------------------------------------


def cycle(arrows):
    """One cycle, as a list of modules, or nothing."""
    uses = {}
    for user, used in arrows:
        uses.setdefault(user, set()).add(used)
    state = {}

    def walk(module, trail):
        state[module] = "open"
        for used in sorted(uses.get(module, ())):
            if state.get(used) == "open":
                return trail[trail.index(used) :] + [used]
            if used not in state and (round_trip := walk(used, trail + [used])):
                return round_trip
        state[module] = "done"
        return None

    for module in sorted(uses):
        if module not in state and (round_trip := walk(module, [module])):
            return round_trip
    return None


def no_cycles(files, depth=0, within=()):
    arrows = edges(files, depth, within)
    while round_trip := cycle(arrows):
        source, at = arrows.pop((round_trip[-2], round_trip[-1]))
        report(source.path, source.line(at), " -> ".join(round_trip), "modules of a crate use each other in one direction")


def layers(files, table):
    """The arrows inside app against the committed table."""
    allowed, ground = {}, set()
    for number, row in enumerate(table.read_text(encoding="utf-8").splitlines(), 1):
        row = row.split("#")[0].strip()
        if not row:
            continue
        module, _, uses = row.partition(":")
        uses = uses.split()
        for used in uses:
            if used not in allowed and used != "*":
                report(table, number, f"{module} uses {used}", "a layer uses only those above it in the table")
        allowed[module] = set(allowed) if "*" in uses else set(uses)
        if module == "ground":
            ground = {"ground"}
    rule = f"this arrow is not in {table}"
    arrows = edges(files)
    for source in files:
        if not source.module:
            continue
        user = source.module[0]
        if user not in allowed:
            report(source.path, 1, user, f"this module is not in {table}")
            allowed[user] = set(allowed)
        # A call through a field uses the module that the field is named after.
        for call in re.finditer(r"\bself\s*\.\s*(\w+)\s*\.\s*\w+\s*\(", source.code):
            if call.group(1) in allowed and call.group(1) != user:
                arrows.setdefault((user, call.group(1)), (source, call.start()))
    for (user, used), (source, at) in sorted(arrows.items(), key=lambda arrow: arrow[0]):
        if used not in allowed.get(user, ()) and used not in ground:
            report(source.path, source.line(at), f"{user} -> {used}", rule)


def only_in(files, pattern, places, rule):
    for source in files:
        if str(source.path) in places:
            continue
        for match in re.finditer(pattern, source.code):
            report(source.path, source.line(match.start()), match.group().strip(), rule)


def arms(text):
    """(place, pattern) of the arms of a match's body."""
    at = start = 0
    while at < len(text):
        if text.startswith("=>", at):
            yield start, text[start:at].strip()
            at += 2
            while at < len(text) and text[at].isspace():
                at += 1
            if at < len(text) and text[at] == "{":
                at = closing(text, at)
                if at < len(text) and text[at] == ",":
                    at += 1
                start = at
                continue
            depth = 0
            while at < len(text) and not (depth == 0 and text[at] == ","):
                depth += (text[at] in "({[") - (text[at] in ")}]")
                at += 1
            at += 1
            start = at
        else:
            at += 1


# The enums that grow, and the crate that declares them.
ENUMS = {"Kind": "core", "Source": "core", "Request": "app", "Topic": "app"}
ANYTHING = re.compile(r"^(?:_|[a-z]\w*)$")


def enums_of(source):
    """Those of ENUMS that a file means: a type of the same name may be its own, or its crate's."""
    uses = [leaf for use in re.finditer(r"\buse\s+([^;]*);", source.code) for leaf in leaves(use.group(1))]
    own = set(re.findall(r"\benum\s+(\w+)", source.code))
    for name, crate in ENUMS.items():
        imported = any(leaf[0].startswith("tracebook_") and leaf[-1] == name for leaf in uses)
        qualified = re.search(rf"\btracebook_\w+(?:::\w+)*::{name}::", source.code)
        at_home = source.crate == crate and (name not in own or source.path.name in ("kinds.rs", "rows.rs", "rpc.rs"))
        if imported or qualified or at_home:
            yield name


def no_wildcards(files):
    for source in files:
        enums = "|".join(enums_of(source))
        if not enums:
            continue
        named_arm = re.compile(rf"^\|?\s*(?:\w+::)*(?:{enums})::\w+")
        for match in re.finditer(r"\bmatch\b[^{};]*\{", source.code):
            body = source.code[match.end() : closing(source.code, match.end() - 1) - 1]
            patterns = list(arms(body))
            named = [named_arm.match(p).group() for _, p in patterns if named_arm.match(p)]
            for at, pattern in patterns:
                if named and ANYTHING.match(pattern):
                    place = match.end() + at + (len(body[at:]) - len(body[at:].lstrip()))
                    report(
                        source.path,
                        source.line(place),
                        f"{pattern} => beside {named[0]}",
                        "no wildcard arm over kinds, sources, requests or topics: a new one must not be forgotten here",
                    )


def tables_in_one_file(files, table, migrations):
    """A table's name follows FROM, JOIN, INTO or UPDATE in its own file only."""
    owner = {}
    for row in table.read_text(encoding="utf-8").splitlines():
        if row.strip() and not row.startswith("#"):
            name, owner[name] = row.split()
    created, gone = {}, set()
    for path in sorted(migrations.rglob("*.sql")):
        for number, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if made := re.search(r"\bCREATE TABLE (?:IF NOT EXISTS )?(\w+)", row):
                created.setdefault(made.group(1), (path, number))
            if renamed := re.search(r"\bALTER TABLE (\w+) RENAME TO", row):
                gone.add(renamed.group(1))
    for name, (path, number) in created.items():
        if name not in owner and name not in gone:
            report(path, number, name, f"this table has no file in {table}")
    for source in files:
        for match in re.finditer(r"\b(?:FROM|JOIN|INTO|UPDATE)\s+(\w+)", source.strings):
            name = match.group(1)
            if name in owner and owner[name] != source.path.name:
                rule = f"only {owner[name]} names this table: {table}"
                report(source.path, source.line(match.start()), match.group(), rule)


def json_only_printed(files, printing):
    """The command line calls with types; JSON is made where it is printed."""
    for source in files:
        if source.path.name in printing:
            continue
        for match in re.finditer(r"\bjson!\s*[({\[]", source.code):
            depth, at = 0, match.start() - 1
            while at >= 0 and not (depth == 0 and source.code[at] == "("):
                if source.code[at] in ";{}" and depth == 0:
                    break
                depth += (source.code[at] in ")]}") - (source.code[at] in "([{")
                at -= 1
            callee = re.search(r"(\w+)(?:::<[^>]*>)?\s*$", source.code[:at]) if at >= 0 and source.code[at] == "(" else None
            if callee and callee.group(1) in ("ask", "call", "rpc", "request"):
                report(source.path, source.line(match.start()), "json!", "the command line calls with types, not with JSON")


COMMENT = re.compile(r"^\s*(//|#|\*|/\*|--|<!--)")


def narrow_comments(paths):
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if len(line) > 120 and COMMENT.match(line) and "://" not in line and not line.lstrip().startswith("#["):
                report(path, number, f"{len(line)} columns", "a comment is at most 120 columns wide")


TITLE_REGEX = re.compile(
    r"(/[^/\n]+/\w*\s*\.\s*(?:test|exec)\(\s*[\w.?]*\btitle\b)|(\btitle\b[?!]?\.(?:match|matchAll|search)\()"
    r"|(\.(?:is_match|captures|find)\(\s*&?[\w.]*\btitle\b)"
)


def no_regex_on_titles(paths):
    for path in paths:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if TITLE_REGEX.search(line):
                report(path, number, line.strip(), "nothing is recognised by its title: titles are for people")


SECURITY_TABLE = "## Who can do what"
NAMED_TEST = re.compile(r"`([\w./-]+\.(?:rs|py|mjs))::([^`]+)`")


def rows_name_tests(document):
    """Each row of SECURITY.md's table names tests that exist."""
    inside = False
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("## "):
            inside = line == SECURITY_TABLE
        if not inside or not line.startswith("|") or set(line) <= set("|-: ") or line.startswith("| Who"):
            continue
        named = NAMED_TEST.findall(line)
        if not named:
            report(document, number, line[:60], "a row names the test that shows it: `path::test`")
        for path, name in named:
            text = Path(path).read_text(encoding="utf-8") if Path(path).is_file() else ""
            if not any(f"{before}{name}" in text for before in ("fn ", "def ", "test('", "test(\"")):
                report(document, number, f"{path}::{name}", "this test does not exist")


TEXTS = {".rs", ".ts", ".svelte", ".css", ".js", ".mjs", ".cjs", ".py", ".sh", ".sql", ".html"}
FOLDERS = ("crates", "src-tauri/src", "ui/src", "tests", "scripts")  # a migration never changes
NOT_OURS = {"node_modules", "snapshots", "fixtures", "bindings.ts", "__pycache__"}


def texts():
    """Every text of ours that can have comments."""
    for folder in FOLDERS:
        for path in sorted(Path(folder).rglob("*")):
            if path.suffix in TEXTS and not NOT_OURS.intersection(path.parts):
                yield path
    yield from (Path(name) for name in ("Makefile", "Cargo.toml", "clippy.toml", "deny.toml", "ui/vite.config.ts"))


def main():
    crates = {path.name: sources(path / "src") for path in sorted(Path("crates").iterdir()) if (path / "src").is_dir()}
    crates["src-tauri"] = sources(Path("src-tauri/src"))
    everything = [source for files in crates.values() for source in files]
    paths = list(texts())

    for name, files in crates.items():
        no_cycles(files)
        if name == "sources":
            for vendor in sorted({s.module[0] for s in files if len(s.module) > 1}):
                no_cycles(files, 1, (vendor,))
    layers(crates["app"], LAYERS)
    composing = {"crates/app/src/tracebook.rs"}
    only_in(everything, r"\bimpl\s+(?:crate::)?Tracebook\b", composing, "`impl Tracebook` stands in one file")
    system = composing | {"crates/app/src/system.rs"}
    only_in(everything, r"\bSystem(?:Clock|Entropy)\b", system, "clock and entropy are passed in")
    no_wildcards(everything)
    tables_in_one_file(crates["store"], TABLES, Path("migrations"))
    json_only_printed(crates["cli"], {"out.rs"})
    narrow_comments(paths)
    no_regex_on_titles(path for path in paths if path.suffix in (".rs", ".ts", ".svelte"))
    rows_name_tests(Path("SECURITY.md"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
