"""Hostile folders: links, FIFOs and devices in what is imported, verified and exported to; and the time of an import."""

import os
import shutil
import stat

from target import cli, entry

TIME_LIMIT_S = 30
SECRET = "private-4711-text"
# 128 KiB of links: quadratic work takes many seconds.
LINKS_KIB = 128
IMPORT_LIMIT_S = 3
GROWTH = 3


def exported(binary, folder):
    """A journal with an entry, exported; data folder and export folder."""
    data, out = f"{folder}/source", f"{folder}/source-out"
    entry(binary, data, "# Week 2\n\ntext\n")
    status, said, err, _ = cli(binary, data, "export", "--all", "--to", out)
    if status != 0:
        raise RuntimeError(f"the export ended with {status}: {(said + err)[:200]!r}")
    return out


def hostile(folder, clone, outside, kind):
    """Makes one part of a clone hostile."""
    page = next(os.path.join(base, name) for base, _, names in os.walk(clone) for name in names if name.endswith(".md"))
    base = os.path.dirname(page)
    if kind == "page is a link to a private file":
        os.symlink(f"{outside}/private.md", f"{base}/week9.md")
    elif kind == "page is a link to /proc/self/environ":
        os.symlink("/proc/self/environ", f"{base}/week9.md")
    elif kind == "folder is a link to a private folder":
        os.symlink(outside, f"{base}/more")
    elif kind == "link in a loop of folders":
        os.symlink(clone, f"{base}/loop")
    elif kind == "attachment folder is a link":
        os.symlink(outside, f"{base}/assets-of-another")
        with open(page, "a") as out:
            out.write("\n![x](assets-of-another/private.png)\n")
    elif kind == "picture is a link to a private file":
        os.symlink(f"{outside}/private.png", f"{base}/picture.png")
        with open(page, "a") as out:
            out.write("\n![x](picture.png)\n")
    elif kind == "picture path leaves the folder":
        with open(page, "a") as out:
            out.write(f"\n![x](../../../../../../../..{outside}/private.png)\n![y]({outside}/private.png)\n")
    elif kind == "page is a FIFO":
        os.mkfifo(f"{base}/week9.md")
    elif kind == "picture is a FIFO":
        os.mkfifo(f"{base}/picture.png")
        with open(page, "a") as out:
            out.write("\n![x](picture.png)\n")
    elif kind == "entry.json is a FIFO":
        for folder_of, _, names in os.walk(clone):
            if "entry.json" in names:
                os.remove(f"{folder_of}/entry.json")
                os.mkfifo(f"{folder_of}/entry.json")
    elif kind == "entry.json is a link to a device":
        for folder_of, _, names in os.walk(clone):
            if "entry.json" in names:
                os.remove(f"{folder_of}/entry.json")
                os.symlink("/dev/zero", f"{folder_of}/entry.json")
    elif kind == "page is a link to a device":
        os.symlink("/dev/zero", f"{base}/week9.md")
    elif kind == "page of 2 GiB":
        with open(f"{base}/week9.md", "wb") as out:
            out.truncate(2 * 1024**3)
    elif kind == "picture of 2 GiB":
        with open(f"{base}/picture.png", "wb") as out:
            out.truncate(2 * 1024**3)
        with open(page, "a") as out:
            out.write("\n![x](picture.png)\n")
    elif kind == "20,000 pages":
        for n in range(20_000):
            with open(f"{base}/n{n}.md", "w") as out:
                out.write("# x\n")
    elif kind == "500 nested folders":
        deep = base
        for _ in range(500):
            deep = os.path.join(deep, "d")
            try:
                os.mkdir(deep)
            except OSError:
                break


HOSTILE = (
    "page is a link to a private file",
    "page is a link to /proc/self/environ",
    "folder is a link to a private folder",
    "link in a loop of folders",
    "attachment folder is a link",
    "picture is a link to a private file",
    "picture path leaves the folder",
    "page is a FIFO",
    "picture is a FIFO",
    "entry.json is a FIFO",
    "entry.json is a link to a device",
    "page is a link to a device",
    "page of 2 GiB",
    "picture of 2 GiB",
    "20,000 pages",
    "500 nested folders",
)


def contains(folder, text):
    """Files of a folder that contain a text, as it is."""
    found = []
    for base, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(base, name)
            if stat.S_ISREG(os.lstat(path).st_mode) and os.path.getsize(path) < 256 * 1024**2:
                with open(path, "rb") as file:
                    if text.encode() in file.read():
                        found.append(path)
    return found


def imports(binary, folder, report):
    clean = exported(binary, folder)
    outside = f"{folder}/outside"
    os.makedirs(outside)
    for name in ("private.md", "private.png"):
        with open(f"{outside}/{name}", "w") as out:
            out.write(f"# {SECRET}\n")
    environment = {"TRACEBOOK_ATTACK_MARK": SECRET}
    for n, kind in enumerate(HOSTILE):
        clone, data, out = f"{folder}/clone-{n}", f"{folder}/into-{n}", f"{folder}/out-{n}"
        shutil.copytree(clean, clone)
        hostile(folder, clone, outside, kind)
        os.makedirs(data)
        status, said, err, seconds = cli(binary, data, "--json", "import", clone, timeout=TIME_LIMIT_S + 5, environment=environment)
        cli(binary, data, "--json", "export", "--all", "--to", out, "--allow-leaks", timeout=60)
        leaked = contains(out, SECRET) if os.path.isdir(out) else []
        leaked += [path for path in contains(data, SECRET)]
        report.at_most(f"import, {kind}: time", round(seconds, 1), TIME_LIMIT_S, " s", f"exit {status}")
        report.none_of(f"import, {kind}: private text taken", leaked, 1)
        status, said, err, seconds = cli(binary, data, "--json", "verify", clone, timeout=TIME_LIMIT_S + 5, environment=environment)
        report.at_most(f"verify, {kind}: time", round(seconds, 1), TIME_LIMIT_S, " s", f"exit {status}")
        report.none_of(f"verify, {kind}: private text shown", [SECRET] if SECRET.encode() in said + err else [], 1)
        shutil.rmtree(clone, ignore_errors=True)


def exports(binary, folder, report):
    """Folders of an export that somebody has prepared."""
    data = f"{folder}/export-data"
    entry(binary, data, "# Week 2\n\nours\n")
    victim = f"{folder}/victim"
    plants = {
        "the journal folder is a link": lambda to: os.symlink(victim, f"{to}/journal"),
        "the page is a link": lambda to: (os.makedirs(f"{to}/journal"), os.symlink(f"{victim}/kept.txt", f"{to}/journal/week2.md")),
        "the assets folder is a link": lambda to: (os.makedirs(f"{to}/journal"), os.symlink(victim, f"{to}/journal/assets")),
        "the page is a FIFO": lambda to: (os.makedirs(f"{to}/journal"), os.mkfifo(f"{to}/journal/week2.md")),
        "temporary names are links": lambda to: (
            os.makedirs(f"{to}/journal"),
            [os.symlink(f"{victim}/kept.txt", f"{to}/journal/.tracebook-{pid}") for pid in range(1, 70_000)],
        ),
        "the target itself is a dangling link": lambda to: (os.rmdir(to), os.symlink(f"{victim}/made", to)),
    }
    for n, (kind, plant) in enumerate(plants.items()):
        shutil.rmtree(victim, ignore_errors=True)
        os.makedirs(victim)
        with open(f"{victim}/kept.txt", "w") as out:
            out.write("kept")
        to = f"{folder}/to-{n}"
        os.makedirs(to)
        plant(to)
        for force in ([], ["--force"]):
            status, said, err, seconds = cli(binary, data, "--json", "export", "--all", "--to", to, *force, timeout=TIME_LIMIT_S + 5)
            with open(f"{victim}/kept.txt") as kept:
                same = kept.read() == "kept"
            others = [name for name in os.listdir(victim) if name != "kept.txt"]
            # The target that the user names may be a link: it is the user's own word. What is below it may not.
            wrong = not same or (bool(others) and "target itself" not in kind)
            report.row(f"export{' --force' if force else ''}, {kind}", f"exit {status}, {seconds:.1f} s", "nothing outside written",
                       not wrong and status is not None, f"{others} {'' if same else 'overwritten'}" if wrong else "")


def import_time(binary, folder, report):
    """An import takes time in proportion to its size."""
    shapes = {
        "links": "[a](b.md) ",
        "pictures": "![a](b.png) ",
        "open brackets": "[",
        "reference definitions": "[a]: b\n",
        "nested quotes": "> ",
        "slots": "![Insert image of Traces]()\n\n",
        "emphasis": "*a _b ",
        "tables": "|a|b|\n|-|-|\n|c|d|\n\n",
    }
    for name, unit in shapes.items():
        times = []
        for part in (2, 1):
            size = LINKS_KIB * 1024 // part
            path = f"{folder}/{name.replace(' ', '-')}-{part}.md"
            with open(path, "w") as out:
                out.write("# Week 3\n\n" + unit * (size // len(unit)) + "\n")
            data = f"{folder}/time-{name.replace(' ', '-')}-{part}"
            os.makedirs(data)
            cli(binary, data, "--json", "entry", "list")
            status, _, _, seconds = cli(binary, data, "--json", "import", path, timeout=90)
            times.append(seconds)
        half, whole = times
        report.at_most(f"import of {LINKS_KIB} KiB of {name}", round(whole, 2), IMPORT_LIMIT_S, " s", f"half of it {half:.2f} s")
        if whole > 1:
            report.at_most("… twice as much takes times", round(whole / half, 1), GROWTH)


def run(binary, folder, report):
    imports(binary, folder, report)
    exports(binary, folder, report)
    import_time(binary, folder, report)
