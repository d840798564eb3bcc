"""Renders the notebooks, and whatever they link to, as a static site.

usage: python render.py NOTEBOOK_FOLDER TARGET_FOLDER

The site has the repository's layout: notebooks/1_crawler.ipynb becomes
notebooks/1_crawler.html, docs/glossary.md docs/glossary.html, lib/paths.ts
lib/paths.ts.html, and a picture stays what it is. So a link keeps its path, and
only its ending changes. A link that leads to no file ends the run. What the
course is and takes is said on the first page in README.md's own words.

Text of outputs stays text, formulas become MathML, and a chart is its picture
until book.js, which finds its figure beside it, draws it alive.
"""

import html
import json
import posixpath
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import mistune
from jinja2 import Environment, FileSystemLoader
from latex2mathml.converter import convert
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.styles import get_style_by_name
from pygments.util import ClassNotFound

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PLOTLY = "application/vnd.plotly.v1+json"
QUICKSTART = "notebooks/tslab/quickstart.ipynb"
PICTURES = {".png", ".svg", ".jpg", ".jpeg", ".webp"}
FORMATTER = HtmlFormatter()
TEMPLATES = Environment(loader=FileSystemLoader(HERE), autoescape=True)

# The search page, from a server of the kernel that has ended. A picture may stand
# behind it.
FRAME = re.compile(r'<iframe[^>]*src="http://127\.0\.0\.1.*?</iframe>', re.S)
IN_PLACE_OF_FRAME = "<p><em>Here stands the search page while the notebook runs.</em></p>"
HEADING = re.compile(r'<h[1-6] id="([^"]*)">(.*?)</h[1-6]>', re.S)


class Renderer(mistune.HTMLRenderer):
    """Formulas without a script, and headings with the names that GitHub gives."""

    def __init__(self):
        super().__init__(escape=False)
        self.names = {}

    def block_math(self, body):
        return f'<div class="wide">{convert(body, display="block")}</div>\n'

    def inline_math(self, body):
        return convert(body)

    def block_code(self, code, info=None):
        return highlighted(code, info or "text")

    def heading(self, text, level, **attributes):
        name = re.sub(r"[^\w\- ]", "", to_text(text).lower()).strip().replace(" ", "-")
        count = self.names.get(name, 0)
        self.names[name] = count + 1
        name += f"-{count}" if count else ""
        return f'<h{level} id="{name}">{text}</h{level}>\n'


def markdown_renderer():
    """A function from a page's Markdown, piece by piece, to HTML."""
    return mistune.create_markdown(
        renderer=Renderer(), plugins=["table", "url", "strikethrough", "math"]
    )


@cache
def lexer_of(language):
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return get_lexer_by_name("text")


def highlighted(code, language):
    return highlight(code, lexer_of(language), FORMATTER)


def to_text(markup):
    markup = re.sub(r"<(script|style)\b.*?</\1>", "", markup, flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", markup)).split())


def read_cells(path):
    return json.loads(path.read_text("utf-8"))["cells"]


def first_sentence(path):
    """HTML of the first sentence below a notebook's title."""
    paragraph = "".join(read_cells(path)[0]["source"]).split("\n\n")[1]
    return markdown_renderer()(re.split(r"(?<=[.?!])\s", paragraph)[0])


def sections_of(text, *headings):
    """A Markdown document's introduction, and what stands below these headings."""
    parts = re.split(r"^#+ (.*)\n", text, flags=re.M)
    below = dict(zip(parts[1::2], parts[2::2]))
    return [parts[2], *(below[heading] for heading in headings)]


def render_notebook(path):
    """A notebook's pieces of HTML, each with the field of the search that it is in."""
    render = markdown_renderer()
    pieces = []
    for cell in read_cells(path):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            pieces.append((render(source), "text"))
        elif cell["cell_type"] == "code":
            pieces.append((highlighted(source, "typescript"), "code"))
            shown = "".join(map(render_output, cell["outputs"]))
            if shown:
                pieces.append((f'<div class="output">{shown}</div>', "code"))
    return pieces


def render_output(output):
    """The richest of an output's forms that needs no network."""
    data = output.get("data", {})
    joined = {kind: "".join(data[kind]) for kind in data if kind != PLOTLY}
    if "text/html" in joined:
        markup = FRAME.sub("", joined["text/html"]) or IN_PLACE_OF_FRAME
        return as_chart(markup, data[PLOTLY]) if PLOTLY in data else markup
    text = joined.get("text/plain") or "".join(
        output.get("text") or output.get("traceback", [])
    )
    for kind in ["image/png", "image/jpeg"]:
        if kind in joined:
            return f'<img src="data:{kind};base64,{joined[kind]}" alt="{html.escape(text)}">'
    return f"<pre>{html.escape(text)}</pre>"


def as_chart(picture, figure):
    """A chart's picture, with the figure that book.js draws in its place."""
    text = json.dumps(figure).replace("<", "\\u003c")
    return f'<div class="chart">{picture}<script type="application/json">{text}</script></div>'


def render_document(path):
    body = markdown_renderer()(path.read_text("utf-8"))
    # Many columns need their own scrolling.
    body = body.replace("<table>", '<div class="wide"><table>')
    body = body.replace("</table>", "</table></div>")
    return [(body, "text")]


def render_source(path, name):
    text = path.read_text("utf-8")
    try:
        code = highlight(text, get_lexer_for_filename(name), FORMATTER)
    except ClassNotFound:
        code = f"<pre>{html.escape(text)}</pre>"
    title = f'<h1 id="source"><code>{html.escape(name)}</code></h1>'
    return [(title, "text"), (code, None)]


def page_of(name):
    """The site's file for one of the repository."""
    stem, ending = posixpath.splitext(name)
    if ending in PICTURES:
        return name
    return f"{stem if ending in {'.ipynb', '.md'} else name}.html"


class Book:
    """The pages that are to be made: those given, and those they link to."""

    def __init__(self, notebooks, target):
        self.target = target
        documents = sorted((ROOT / "docs").glob("*.md"))
        self.files = {"README.md": ROOT / "README.md"}
        self.files |= {f"notebooks/{path.name}": path for path in notebooks}
        self.files[QUICKSTART] = ROOT / QUICKSTART
        self.files |= {f"docs/{path.name}": path for path in documents}
        self.contents = list(self.files)
        self.sections = []

    def render(self):
        pages = {}
        names = list(self.contents)
        for name in names:
            path = self.files[name]
            if path.suffix in PICTURES:
                self.copy(name)
                continue
            if path.suffix == ".ipynb":
                pieces = render_notebook(path)
            elif path.suffix == ".md":
                pieces = render_document(path)
            else:
                pieces = render_source(path, name)
            body = "".join(markup for markup, _ in pieces)
            pages[name] = self.relink(body, name, names)
            self.index(name, pieces)
        titles = {name: self.title(name) for name in names if name in pages}
        for name, body in pages.items():
            self.write(name, body, titles)
        self.write_start(titles)
        search = json.dumps(self.sections, ensure_ascii=False)
        self.file("search_index.js").write_text(f"globalThis.bookSections = {search};\n", "utf-8")

    def relink(self, body, name, names):
        """Lets links to files lead to their pages, which are asked for in `names`."""

        def replace(match):
            attribute, link = match[1], html.unescape(match[2])
            if re.match(r"[a-z][a-z0-9+.-]*:|//|#|$", link, re.I):
                return match[0]
            path, hash, fragment = link.partition("#")
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            if wanted not in self.files:
                self.files[wanted] = ROOT / wanted
            if wanted.startswith("..") or not self.files[wanted].is_file():
                sys.exit(f"{name}: the link {link} leads to no file of the project")
            if wanted not in names:
                names.append(wanted)
            page = posixpath.relpath(page_of(wanted), posixpath.dirname(name) or ".")
            return f'{attribute}="{html.escape(page + hash + fragment)}"'

        return re.sub(r'\b(href|src|srcset)="([^"]*)"', replace, body)

    def index(self, name, pieces):
        """Keeps what the search finds: the headings, each with what is below it."""
        page, title = page_of(name), None
        for markup, field in pieces:
            start, *parts = HEADING.split(markup) if field == "text" else [markup]
            if title and field:
                self.sections[-1][field] += f" {to_text(start)}"
            for id, heading, text in zip(parts[0::3], parts[1::3], parts[2::3]):
                title = title or to_text(heading)
                self.sections.append({
                    "page": page,
                    "title": title,
                    "id": id,
                    "heading": to_text(heading),
                    "text": to_text(text),
                    "code": "",
                })

    def headings(self, name):
        return [one for one in self.sections if one["page"] == page_of(name)]

    def title(self, name):
        found = self.headings(name)
        if not found:
            sys.exit(f"{name}: expected a heading, \"# Title\"")
        return "About" if name == "README.md" else found[0]["heading"]

    def write(self, name, body, titles):
        place = self.contents.index(name) if name in self.contents else None
        near = [] if place is None else self.contents
        self.page(
            page_of(name),
            titles,
            title=titles[name],
            body=body,
            headings=self.headings(name)[1:],
            previous=near[place - 1] if near and place else None,
            next=near[place + 1] if near and place + 1 < len(near) else None,
        )

    def write_start(self, titles):
        readme = self.files["README.md"].read_text("utf-8")
        about, takes = map(markdown_renderer(), sections_of(readme, "What it takes"))
        body = f"<h1>Contact Sheet</h1>{about}<h2>What it takes</h2>{takes}<h2>The notebooks</h2>"
        for name in self.contents:
            if name.endswith(".ipynb"):
                title, sentence = html.escape(titles[name]), first_sentence(self.files[name])
                body += f'<h3><a href="{html.escape(name)}">{title}</a></h3>{sentence}'
        body = self.relink(body, "index.html", list(self.files))
        first = self.contents[0]
        self.page("index.html", titles, title="All notebooks", body=body, next=first)

    def page(self, page, titles, **more):
        text = TEMPLATES.get_template("page.jinja").render(
            here=page,
            up="../" * page.count("/"),
            contents=[(page_of(name), titles[name]) for name in self.contents],
            titles=titles,
            page_of=page_of,
            **more,
        )
        self.file(page).write_text(text, "utf-8")

    def file(self, name):
        path = self.target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def copy(self, name):
        shutil.copyfile(self.files[name], self.file(name))


def code_colours():
    """Pygments' rules, each with its colour on light and on dark paper."""
    light, dark = get_style_by_name("xcode"), get_style_by_name("github-dark")
    rules = []
    for token, style in light:
        name = FORMATTER._get_css_class(token)
        colours = [style["color"], dark.style_for_token(token)["color"]]
        if name and any(colours):
            one, other = [f"#{colour}" if colour else "inherit" for colour in colours]
            rules.append(f".highlight .{name} {{ color: light-dark({one}, {other}); }}")
    return "\n".join(rules)


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    Book(sorted(source.glob("*.ipynb")), target).render()
    style = (HERE / "book.css").read_text("utf-8")
    (target / "book.css").write_text(style + code_colours() + "\n", "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
