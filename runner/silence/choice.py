"""Which words each kind of monitor is told at the beginning and at the end of an upgrade; it sends none."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from runner.secrecy import Secret
from runner.silence import downtimes, prometheus
from runner.silence.model import Alertmanager, Checkmk, Icinga2, Monitor, Nagios, Pushgateway, Textfile, Zabbix
from runner.silence.talk import Order, Talk

Reveal = Callable[[Secret], str]
"""Gives the secret itself."""


def begin(monitor: Monitor, order: Order, reveal: Reveal) -> Talk:
    """What keeps it quiet until ``order.ends_s``."""
    match monitor:
        case Alertmanager():
            return prometheus.begin_silence(monitor, order, _login(monitor, reveal))
        case Pushgateway():
            return prometheus.push(monitor, order, _login(monitor, reveal))
        case Textfile():
            return prometheus.write_textfile(monitor, order)
        case Zabbix():
            return downtimes.begin_zabbix(monitor, order, reveal(monitor.token))
        case Icinga2():
            return downtimes.begin_icinga2(monitor, order, _login(monitor, reveal))
        case Checkmk():
            return downtimes.begin_checkmk(monitor, order, reveal(monitor.password))
        case Nagios():
            return downtimes.begin_nagios(monitor, order)
        case _:
            assert_never(monitor)


def end(monitor: Monitor, order: Order, reveal: Reveal) -> Talk:
    """What takes that back; metrics say instead when it was over, and how."""
    match monitor:
        case Alertmanager():
            return prometheus.end_silence(monitor, order, _login(monitor, reveal))
        case Pushgateway():
            return prometheus.push(monitor, order, _login(monitor, reveal))
        case Textfile():
            return prometheus.write_textfile(monitor, order)
        case Zabbix():
            return downtimes.end_zabbix(monitor, order, reveal(monitor.token))
        case Icinga2():
            return downtimes.end_icinga2(monitor, order, _login(monitor, reveal))
        case Checkmk():
            return downtimes.end_checkmk(monitor, order, reveal(monitor.password))
        case Nagios():
            return downtimes.end_nagios(monitor, order)
        case _:
            assert_never(monitor)


def _login(monitor: Alertmanager | Pushgateway | Icinga2, reveal: Reveal) -> str:
    return f"{monitor.user}:{reveal(monitor.password)}" if monitor.password else ""
