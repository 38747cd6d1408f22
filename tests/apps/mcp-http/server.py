import os

from mcp.server import MCPServer
from starlette.responses import PlainTextResponse

mcp = MCPServer("Sums")


@mcp.tool()
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


@mcp.custom_route("/about", methods=["GET"])
async def about(request):
    return PlainTextResponse("sums over MCP")


if __name__ == "__main__":
    port = int(os.environ.get("PORT", "8000"))
    mcp.run(transport="streamable-http", host="0.0.0.0", port=port)
