"""Makes a browsable copy of executed notebooks that needs no network.

usage: python to_html.py SOURCE_FOLDER TARGET_FOLDER

Writes a page a notebook, linked to its neighbours, and index.html. The pages
hold no script of their own: formulas become MathML, charts their pictures.
"""

import html
import re
import sys
from pathlib import Path

import nbformat
from latex2mathml.converter import convert
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments.formatters import HtmlFormatter

STYLE = f"""
:root {{ color-scheme: light dark; --line: #8886; --soft: #8882; }}
body {{ font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; padding: 0 16px 64px; max-width: 900px; }}
nav {{ display: flex; gap: 16px; padding: 12px 0; border-bottom: 1px solid var(--line); }}
nav :last-child {{ margin-left: auto; }}
pre {{ margin: 0; overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; }}
.input_area {{ background: var(--soft); border-radius: 6px; padding: 10px 12px; margin-top: 12px; }}
.output_wrapper {{ margin: 8px 0 20px; padding-left: 12px; border-left: 3px solid var(--line); overflow-x: auto; }}
.prompt {{ display: none; }}
.text_cell_render img, .output_png img {{ max-width: 100%; }}
th, td {{ padding: 3px 10px; }}
{HtmlFormatter(style="default").get_style_defs(".highlight")}
@media (prefers-color-scheme: dark) {{
{HtmlFormatter(style="github-dark").get_style_defs(".highlight")}
}}
.highlight {{ background: none !important; }}
"""


class Renderer(IPythonRenderer):
    """Formulas without a script, links that hold from where the copy lies."""

    def block_math(self, body):
        return convert(body, display="block")

    def inline_math(self, body):
        return convert(body)

    def image(self, text, url, title=None):
        return super().image(text, from_here(url), title)

    def link(self, text, url, title=None):
        url = from_here(url)
        url = re.sub(r"^(\w+)\.ipynb", r"\1.html", url)
        return super().link(text, url, title)


def from_here(url):
    return "../../" + url if url.startswith("../") else url


def to_html(markdown):
    renderer = Renderer(escape=False, exclude_anchor_links=True)
    return MarkdownWithMath(renderer=renderer).render(markdown)


def write(path, title, body):
    path.write_text(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>"
        f"<body>{body}</body></html>\n",
        "utf-8",
    )


def main(source, target):
    target.mkdir(parents=True, exist_ok=True)
    paths = sorted(source.glob("*.ipynb"))
    notebooks = [nbformat.read(path, as_version=4) for path in paths]
    titles = [notebook.cells[0].source.split("\n")[0].lstrip("# ") for notebook in notebooks]
    links = [
        f'<a href="{path.stem}.html">{html.escape(title)}</a>'
        for path, title in zip(paths, titles)
    ]
    exporter = HTMLExporter(template_name="basic", filters={"markdown2html": to_html})
    index = "<h1>Contact Sheet</h1><p>The notebooks, as executed.</p>"

    for number, (path, notebook) in enumerate(zip(paths, notebooks)):
        near = ['<a href="index.html">All notebooks</a>']
        near += [f"← {one}" for one in links[:number][-1:]]
        near += [f"{one} →" for one in links[number + 1 :][:1]]
        nav = "<nav>" + "".join(f"<span>{one}</span>" for one in near) + "</nav>"
        body, _ = exporter.from_notebook_node(notebook)
        write(target / f"{path.stem}.html", titles[number], nav + body + nav)
        question = notebook.cells[0].source.split("\n\n")[1]
        index += f"<h2>{links[number]}</h2>{to_html(question)}"
    write(target / "index.html", "Contact Sheet", index)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
