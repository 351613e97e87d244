"""The formats of a report and what makes each: it chooses by name alone."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from runner.facts import Json
from runner.report.story import Story


class Format(StrEnum):
    """How a report is written."""

    TEXT = "text"
    HTML = "html"
    JSON = "json"
    JUNIT = "junit"
    MARKDOWN = "markdown"


SUFFIXES = {
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".json": Format.JSON,
    ".xml": Format.JUNIT,
    ".md": Format.MARKDOWN,
    ".txt": Format.TEXT,
}


def report_schema() -> Json:
    """The JSON Schema of a report in JSON; docs/report.schema.json is this."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Story.model_json_schema(mode="serialization")}


def rendered(story: Story, form: Format) -> str:
    """The report of a story; the same story always gives the same text."""
    match form:
        case Format.TEXT:
            from runner.report.text import text_report

            return text_report(story)
        case Format.HTML:
            from runner.report.html import html_report  # its template engine is slow to load

            return html_report(story)
        case Format.JSON:
            return story.model_dump_json(indent=2) + "\n"
        case Format.JUNIT:
            from runner.report.junit import junit_report

            return junit_report(story)
        case Format.MARKDOWN:
            from runner.report.markdown import markdown_report

            return markdown_report(story)
        case _:
            assert_never(form)
