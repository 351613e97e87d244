"""The wire to one registry: requests, authentication, patience; it asks no host but that one and the realm it names.

requests, and not python-dxf: that one sends its credentials along to whatever host a ``Link`` names, knows no rate
limit, and refuses a password on a plain loopback.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import NoReturn
from urllib.parse import urljoin, urlsplit

import requests
from pydantic import TypeAdapter, ValidationError
from requests.auth import AuthBase

from runner.clock import Clock
from runner.errors import RegistryError
from runner.registry.challenge import Challenge, challenge_from
from runner.registry.credentials import Login, login_for
from runner.registry.place import RepositoryPlace, authority_of

CONNECT_S = 5.0
SILENCE_S = 20.0
WHOLE_S = 60.0
"""How long all requests for one answer may take together."""
PATIENCE_S = 15.0
"""The longest wait a rate limit may ask of us."""
MOST_BYTES = 32 * 1024 * 1024
CHUNK_BYTES = 65536
LIMITED = (429, 503)

_TOKENS = TypeAdapter(dict[str, object])


@dataclass(frozen=True)
class Answer:
    """What came: the headers, and the body read to its end."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    following: str = ""
    """The address of the next page, on the same host; empty on the last."""


class _Header(AuthBase):
    """An Authorization header as it is; without one requests would look into .netrc."""

    def __init__(self, words: str) -> None:
        self._words = words

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._words:
            request.headers["Authorization"] = self._words
        return request


@dataclass
class RegistryWire:
    """A conversation about one repository; it remembers the token it was given."""

    place: RepositoryPlace
    clock: Clock
    _session: requests.Session = field(default_factory=requests.Session)
    _authorization: str = ""
    _scheme: str = "https"
    _until: float = 0.0

    def __post_init__(self) -> None:
        """Begin the time all of it may take."""
        self._until = self.clock.monotonic() + WHOLE_S

    def ask(self, path: str, *, method: str = "GET", accept: str = "application/json") -> Answer:
        """One answer about the repository, or the RegistryError that says why there is none."""
        return self.follow(f"{self._scheme}://{self.place.address}/v2/{self.place.path}/{path}", method, accept)

    def follow(self, url: str, method: str = "GET", accept: str = "application/json") -> Answer:
        """The same by its whole address."""
        with self._ours():
            answer = self._sent(method, url, accept)
            if answer.status_code == 401:
                self._authorization = self._authorized(answer)
                answer = self._sent(method, url, accept)
            return self._read(answer)

    def _sent(self, method: str, url: str, accept: str) -> requests.Response:
        """Send; where a loopback speaks no TLS, plainly; where it says wait, a little later once more."""
        while True:
            try:
                answer = self._once(method, url.replace("https://", f"{self._scheme}://", 1), accept)
            except requests.exceptions.SSLError as no:
                if not self._may_be_plain(no):
                    raise
                self._scheme = "http"
                continue
            wait_s = _asked_wait_s(answer, self.clock)
            if answer.status_code not in LIMITED or not wait_s or not self._can_wait(wait_s):
                return answer
            answer.close()
            self.clock.sleep(wait_s)

    def _can_wait(self, wait_s: float) -> bool:
        return wait_s <= PATIENCE_S and self.clock.monotonic() + wait_s < self._until

    def _once(self, method: str, url: str, accept: str) -> requests.Response:
        return self._session.request(
            method, url, headers={"Accept": accept, "User-Agent": "refloat"}, auth=_Header(self._authorization),
            timeout=(CONNECT_S, SILENCE_S), verify=_trust(self.place.host), allow_redirects=False, stream=True,
        )  # fmt: skip

    def _may_be_plain(self, no: requests.exceptions.SSLError) -> bool:
        return self.place.is_loopback and self._scheme == "https" and "CERTIFICATE_VERIFY_FAILED" not in str(no)

    def _authorized(self, refused: requests.Response) -> str:
        """The Authorization header that the challenge asks for."""
        wanted = challenge_from(refused.headers.get("WWW-Authenticate", ""))
        refused.close()
        login = login_for(self.place.host)
        if wanted is None or (wanted.kind == "basic" and not login.password):
            self._denied("wants a login" if wanted else "asks for an authentication that is not known here")
        return login.basic if wanted.kind == "basic" else f"Bearer {self._token(wanted, login)}"

    def _token(self, wanted: Challenge, login: Login) -> str:
        """What the token service gives out; a password goes there only over TLS, or never leaves the machine."""
        if urlsplit(wanted.realm).scheme != "https" and not self.place.is_loopback:
            self._denied("wants the password sent without TLS")
        about = {"service": wanted.service, "scope": wanted.scope or f"repository:{self.place.path}:pull"}
        answer = self._granted(wanted.realm, about, login)
        if answer.status_code in (401, 403):
            self._denied("gives no token for it")
        if answer.status_code != 200:
            self._failed(answer)
        given = _TOKENS.validate_json(answer.content)
        return str(given.get("token") or given.get("access_token") or "")

    def _granted(self, realm: str, about: dict[str, str], login: Login) -> requests.Response:
        """An identity token is traded in by POST, name and password (or nobody) by GET."""
        trust, timeout = _trust(urlsplit(realm).netloc), (CONNECT_S, SILENCE_S)
        if not login.identity:
            return self._session.get(realm, params=about, auth=_Header(login.basic), timeout=timeout, verify=trust,
                                     allow_redirects=False)  # fmt: skip
        grant = {**about, "grant_type": "refresh_token", "refresh_token": login.identity, "client_id": "refloat"}
        return self._session.post(realm, data=grant, auth=_Header(""), timeout=timeout, verify=trust,
                                  allow_redirects=False)  # fmt: skip

    def _read(self, answer: requests.Response) -> Answer:
        with answer:
            if answer.status_code != 200:
                self._failed(answer)
            body = b"".join(self._chunks(answer))
        following = answer.links.get("next", {}).get("url", "")
        return Answer(str(answer.url), answer.headers, body, self._same_host(str(answer.url), following))

    def _chunks(self, answer: requests.Response) -> Iterator[bytes]:
        """The body, within what is left of the time: a server that drips is as bad as a silent one."""
        size = 0
        for chunk in answer.iter_content(CHUNK_BYTES):
            size += len(chunk)
            if size > MOST_BYTES or self.clock.monotonic() > self._until:
                raise self._error("registry-unreachable", "takes too long to answer", "Try again later.")
            yield chunk

    def _same_host(self, url: str, following: str) -> str:
        """The next page; never another host, which would get our credentials."""
        if not following:
            return ""
        whole = urljoin(url, following)
        if urlsplit(whole)[:2] != urlsplit(url)[:2]:
            raise self._error("registry-odd", "sends us to another host for the rest of its tags", "")
        return whole

    def _denied(self, why: str) -> NoReturn:
        raise self._error("registry-denied", f"{why} ({self.place.path})", f"docker login {self.place.host}")

    def _failed(self, answer: requests.Response) -> NoReturn:
        status = answer.status_code
        if status in (401, 403):
            self._denied("does not let us see this repository")
        if status == 404:
            what = f"has no {self.place.path}, or does not show it"
            raise self._error("registry-no-such-tag", what, f"Check the name, or: docker login {self.place.host}")
        if status in LIMITED:
            wait_s = _asked_wait_s(answer, self.clock)
            later = f"Wait {wait_s:.0f} s, then again." if wait_s else "Wait, or log in (docker login)."
            raise self._error("registry-rate-limit", "has had enough requests from here for now", later)
        raise self._error("registry-odd", f"answered with status {status}", "Try again later.")

    def _error(self, code: str, what: str, then: str) -> RegistryError:
        return RegistryError(code, f"The registry {self.place.host} {what}.", then=then)

    @contextmanager
    def _ours(self) -> Iterator[None]:
        """Every foreign exception as one of ours; none of them repeats a header or a credential."""
        try:
            yield
        except requests.exceptions.SSLError as no:
            raise self._tls_refused(str(no)) from None
        except requests.exceptions.Timeout:
            raise self._error("registry-unreachable", "does not answer in time", "Try again later.") from None
        except (requests.exceptions.RequestException, OSError, ValidationError, UnicodeError) as no:
            odd = isinstance(no, ValidationError | UnicodeError | requests.exceptions.InvalidURL)
            code, what = ("registry-odd", "does not answer as a registry does") if odd else (
                "registry-unreachable", "cannot be reached")  # fmt: skip
            raise self._error(code, what, "Check its name and this machine's network (proxy, DNS).") from None

    def _tls_refused(self, said: str) -> RegistryError:
        if "CERTIFICATE_VERIFY_FAILED" in said:
            then = f"Put its CA where Docker looks, too: /etc/docker/certs.d/{self.place.host}/ca.crt"
            return self._error("registry-unknown-ca", "shows a certificate that nobody known has signed", then)
        return self._error("registry-unreachable", "speaks no TLS", "Check its name and port.")


def _trust(host: str) -> str | bool:
    """What the certificate of a host is checked with."""
    return str(authority_of(host) or "") or True


def _asked_wait_s(answer: requests.Response, clock: Clock) -> float:
    """How long the registry asks us to wait: seconds or a date; 0 where it does not say."""
    said = answer.headers.get("Retry-After", "").strip()
    if said.isdigit():
        return max(float(said), 1.0)
    try:
        return max((parsedate_to_datetime(said) - clock.now()).total_seconds(), 1.0)
    except (ValueError, TypeError):
        return 0.0
