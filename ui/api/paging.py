"""Long lists in pieces: `limit` and `offset`, the number of all in X-Total-Count, the neighbours in Link."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, Query, Request, Response

T = TypeVar("T")

TOTAL = "X-Total-Count"
MOST = 1000
PAGED: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {
            TOTAL: {"description": "How many there are in all.", "schema": {"type": "integer"}},
            "Link": {
                "description": "Where the next and the previous ones are.",
                "schema": {"type": "string"},
            },
        }
    }
}


class Page(NamedTuple):
    limit: int
    offset: int
    request: Request
    response: Response

    def of(self, items: Sequence[T]) -> Sequence[T]:
        """The piece of a whole list that was asked for."""
        self.tell(len(items))
        return items[self.offset : self.offset + self.limit]

    def tell(self, total: int) -> None:
        self.response.headers[TOTAL] = str(total)
        links = []
        if self.offset + self.limit < total:
            links.append(self._link("next", self.offset + self.limit))
        if self.offset:
            links.append(self._link("prev", max(0, self.offset - self.limit)))
        if links:
            self.response.headers["Link"] = ", ".join(links)

    def _link(self, name: str, offset: int) -> str:
        place = self.request.url.include_query_params(limit=self.limit, offset=offset)
        return f'<{place.path}?{place.query}>; rel="{name}"'


async def page_of(
    request: Request,
    response: Response,
    limit: Annotated[int, Query(ge=1, le=MOST, description="So many at most.")] = 100,
    offset: Annotated[int, Query(ge=0, le=2**31, description="Leave out so many first.")] = 0,
) -> Page:
    return Page(limit, offset, request, response)


ThePage = Annotated[Page, Depends(page_of)]
