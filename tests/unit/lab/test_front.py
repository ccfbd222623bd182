from pathlib import Path

import pytest

from tests.lab import front
from tests.lab.errors import LabError
from tests.lab.front import DOCKER, adapt_nginx, adapt_varnish


def test_nginx_gets_its_addresses_and_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front, "free_port", iter((4, 5)).__next__)
    text = "listen 8080 backlog=9;listen 127.0.0.1:8079;listen 8081;include /etc/nginx/server.d/*.conf;"
    text += "pid /tmp/nginx.pid; x unix:/tmp/s; /var/cache/nginx/media; "
    text += 'server headwater:8080 backup;lua_package_path "/etc/nginx/?.lua;;";'
    text += "server varnish:6081;"
    places = {"headwater:8080": "127.0.0.1:1", "varnish:6081": "127.0.0.1:2"}
    assert adapt_nginx(text, 3, places, Path("/d")) == (
        "listen 127.0.0.1:3 backlog=9;listen 127.0.0.1:4;listen 127.0.0.1:5;include /d/server.d/*.conf;"
        "pid /d/nginx.pid; x unix:/d/s; /d/media; server 127.0.0.1:1 backup;"
        f'lua_package_path "{DOCKER}/?.lua;;";server 127.0.0.1:2;'
    )


def test_varnish_gets_its_origin() -> None:
    text = '.host = "headwater";\n.port = "8080";'
    assert adapt_varnish(text, "127.0.0.1:1") == '.host = "127.0.0.1";\n.port = "1";'


def test_an_unexpected_file_is_reported() -> None:
    with pytest.raises(LabError, match=r"varnish\.vcl does not contain"):
        adapt_varnish("", "127.0.0.1:1")
