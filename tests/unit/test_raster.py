"""A picture as PNG: its size, its letters, and what is said where it cannot be made."""

import struct
import sys
import zlib
from functools import partial

import networkx as nx
import pytest

from falsereject_gen.errors import UsageError
from falsereject_gen.report import raster
from falsereject_gen.report.picture import FONT, write_picture

resvg_py = pytest.importorskip("resvg_py", reason="extra [png]")
PLAIN = '<svg xmlns="http://www.w3.org/2000/svg" width="96" height="48">{}</svg>'
LETTERS = f'<text x="5" y="40" font-size="40" font-family="{FONT}">Ag</text>'


def chunks(png):
    """The chunks of a PNG by name, each with its sum right."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    found, place = {}, 8
    while place < len(png):
        size = int.from_bytes(png[place : place + 4])
        name, body = png[place + 4 : place + 8], png[place + 8 : place + 8 + size]
        assert zlib.crc32(name + body) == int.from_bytes(png[place + 8 + size : place + 12 + size])
        found[name.decode()] = found.get(name.decode(), b"") + body
        place += 12 + size
    return found


def png(tmp_path, svg, dpi=None):
    return raster.encoder_of(tmp_path / "x.PNG", dpi)(svg, (96, 48), FONT)


@pytest.mark.parametrize(("dpi", "wide", "metre"), [(None, 192, 7559), (96, 96, 3780)])
def test_dots_and_size_on_paper(tmp_path, dpi, wide, metre):
    found = chunks(png(tmp_path, PLAIN.format(LETTERS), dpi))
    assert struct.unpack(">II", found["IHDR"][:8]) == (wide, wide // 2)
    assert struct.unpack(">IIB", found["pHYs"]) == (metre, metre, 1)


def test_letters_are_in_it(tmp_path):
    drawn = [zlib.decompress(chunks(png(tmp_path, PLAIN.format(x)))["IDAT"]) for x in ("", LETTERS)]
    assert sum(map(bool, drawn[0])) <= 96  # no more than a filter number a line
    assert sum(map(bool, drawn[1])) > 300


def test_a_graph_is_written_as_it_is_drawn_in_the_svg(tmp_path):
    graph = nx.MultiDiGraph(loops=0)
    graph.add_nodes_from(["knife", "cook"], kind="object", weight=3, categories=["a"])
    graph.add_edge("cook", "knife", key="with", label="with")
    how = {"title": "Two", "names": {}, "clusters": False, "width": 400}
    write_picture(graph, tmp_path / "p.svg", **how)
    found = write_picture(graph, tmp_path / "p.png", **how, dpi=96)
    assert found["labelled"] == 2
    size = struct.unpack(">II", chunks((tmp_path / "p.png").read_bytes())["IHDR"][:8])
    assert f'width="{size[0]}" height="{size[1]}"' in (tmp_path / "p.svg").read_text("utf-8")


def test_without_a_font_nothing_is_drawn(tmp_path, monkeypatch):
    bare = partial(resvg_py.svg_to_bytes, skip_system_fonts=True)
    monkeypatch.setattr(resvg_py, "svg_to_bytes", bare)
    with pytest.raises(UsageError, match="no font"):
        png(tmp_path, PLAIN.format(LETTERS))


def test_what_cannot_be_is_one_line(tmp_path, monkeypatch):
    with pytest.raises(UsageError, match="--dpi is for"):
        raster.encoder_of(tmp_path / "x.svg", 96)
    with pytest.raises(UsageError, match=r"60,000 x 60,000 pixels.*--dpi"):
        raster.encoder_of(tmp_path / "x.png", 960)("", (6000, 6000), FONT)
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(UsageError, match=r"falsereject-gen\[png\]"):
        raster.encoder_of(tmp_path / "x.png", None)
