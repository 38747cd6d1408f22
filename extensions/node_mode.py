"""Whether an app on Node serves HTTP, works without a port, or ends by itself: by its code."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence

from . import javascript, node_scripts
from .javascript import Script
from .node_source import Package
from .origins import Found, line_at
from .tree import Tree, join

SERVICE, WORKER, JOB = "service", "worker", "job"

# What may answer requests; more than does, as what answers must not lose its port.
_SERVES = re.compile(
    r"\blisten\s*\(|\bserve\s*\(|\bcreateServer\b|\bfetch\s*[:(]\s*(?:app|async|function|\()"
    r"|export\s+default\s+\w*app\b|\bNestFactory\s*\.\s*create\s*(?:<[^>]*>)?\s*\("
    r"|env\s*\.\s*PORT\b|env\[[\"']PORT[\"']\]|\bwebhookCallback\b|\bwebhook\s*:"
)
_SERVERS = re.compile(
    r"express|fastify|koa|hono|hapi|restify|polka|micro|next|nuxt|h3|nitropack|sails|strapi|elysia"
    r"|apollo-server.*|graphql-yoga|socket\.io|ws|uWebSockets\.js|json-server|vite|astro|probot"
    r"|moleculer-web|serve|http-server|parse-server|keystone|payload|ghost|n8n|directus"
    r"|@(hono|fastify|koa|hapi|apollo|trpc|nestjs|feathersjs|strapi|adonisjs|sveltejs|remix-run"
    r"|react-router|loopback|foal|tsed|payloadcms|keystone-6|medusajs|directus|tanstack)/.+"
)
# Libraries of what waits for work elsewhere, and the code that makes it wait.
_WORKS = {
    "discord.js": r"\.login\s*\(", "eris": r"\.connect\s*\(", "oceanic.js": r"\.connect\s*\(",
    "telegraf": r"\.launch\s*\(", "grammy": r"\.start\s*\(|\brun\s*\(",
    "node-telegram-bot-api": r"polling", "tmi.js": r"\.connect\s*\(",
    "@slack/bolt": r"socketMode\s*:\s*true", "@slack/socket-mode": r"\.start\s*\(",
    "matrix-bot-sdk": r"\.start\s*\(", "whatsapp-web.js": r"\.initialize\s*\(",
    "bullmq": r"new\s+Worker\b", "bull": r"\.process\s*\(", "bee-queue": r"\.process\s*\(",
    "agenda": r"\.start\s*\(", "@hokify/agenda": r"\.start\s*\(", "pg-boss": r"\.work\s*\(",
    "graphile-worker": r"\brun\s*\(", "bree": r"\.start\s*\(",
    "node-cron": r"\.schedule\s*\(", "cron": r"CronJob", "croner": r"\bCron\s*\(",
    "node-schedule": r"scheduleJob", "toad-scheduler": r"addSimpleIntervalJob",
    "amqplib": r"\.consume\s*\(", "kafkajs": r"\.consumer\s*\(", "nats": r"\.subscribe\s*\(",
    "mqtt": r"\.subscribe\s*\(", "@temporalio/worker": r"Worker\.create",
    "sqs-consumer": r"Consumer\.create", "@nestjs/core": r"createApplicationContext"
    r"|createMicroservice",
}  # fmt: skip
_LOOPS = re.compile(r"\bsetInterval\s*\(|\bwhile\s*\(\s*true\s*\)|\bfor\s*\(\s*;\s*;\s*\)")
# What a script uses that ends when it is done; with any other, nothing is known.
_ENDS = re.compile(
    r"(node:)?(fs|path|os|util|url|crypto|zlib|stream|child_process|readline|timers|assert|events"
    r"|perf_hooks|buffer|process|https?)(/.+)?|dotenv(/.+)?|pg|postgres|mysql2(/.+)?|knex|mongodb"
    r"|mongoose|typeorm|sequelize|drizzle-orm(/.+)?|@prisma/client|redis|ioredis|axios|got|undici"
    r"|node-fetch|zod|lodash(/.+)?|date-fns(/.+)?|dayjs|luxon|moment|chalk|commander|yargs(/.+)?"
    r"|csv-.+|papaparse|nodemailer|cheerio|fast-xml-parser|uuid|nanoid|sharp|openai|pino|winston"
    r"|@aws-sdk/.+|reflect-metadata|p-limit|p-map|p-queue"
)
_SCRIPTS = ("worker:prod", "start:worker", "worker:start", "worker", "workers", "queue", "jobs")


def find_mode(
    tree: Tree, folder: str, package: Package, entries: Sequence[str], command: str | None
) -> Found[str] | None:
    """`worker` or `job`; None where the app serves HTTP, or nothing tells.

    Args:
        tree: The project's files.
        folder: The app's.
        package: Its package.json.
        entries: The files that it begins with.
        command: What starts it, as far as that was found.
    """
    scripts = _loaded(tree, folder, entries)
    if not scripts or not _starts(package, command):
        return None
    used = {name for script in scripts for name in _packages(tree, folder, script)}
    works = next(_working(scripts, used), None)
    nest = works is not None and works.value.startswith("@nestjs/")
    if not nest and any(_SERVERS.fullmatch(name) for name in used):
        return None
    if not _waits_for_messages(scripts) and any(_SERVES.search(_code(one)) for one in scripts):
        return None
    if works:
        reason = f"{works.value} waits for work, and nothing listens"
        return Found(WORKER, reason, works.path, works.line)
    if not all(_ENDS.fullmatch(name) for name in used):
        return None
    for script in scripts:
        if match := _LOOPS.search(_code(script)):
            line = line_at(script.text, match.start())
            return Found(WORKER, "it goes on for ever, and nothing listens", script.path, line)
    if {"http", "https", "node:http", "node:https"} & used and "mongoose" in used:
        return None
    return Found(JOB, "nothing in it listens or waits for work", entries[0])


# docs.nestjs.com, "Microservices": these have a broker; TCP and gRPC have a port.
_BROKERS = re.compile(r"\bTransport\.(REDIS|NATS|MQTT|RMQ|KAFKA)\b")
_PORTS = re.compile(r"\bTransport\.(TCP|GRPC)\b|\bNestFactory\s*\.\s*create\s*(<[^>]*>)?\s*\(")


def _waits_for_messages(scripts: Sequence[Script]) -> bool:
    """Whether a microservice of Nest listens to a broker alone; its `listen()` opens no port."""
    code = "\n".join(_code(script) for script in scripts)
    if "createMicroservice" not in code or _PORTS.search(code):
        return False
    return _BROKERS.search(code) is not None


def find_worker(
    tree: Tree, folder: str, package: Package, entries: Sequence[str]
) -> Found[str | None] | None:
    """The command of a worker beside the app, by a script of package.json; None for none."""
    scripts = package.table("scripts")
    beside = {script.path for script in _loaded(tree, folder, entries)}
    for name in _SCRIPTS:
        if name not in scripts or node_scripts.is_development(package, name):
            continue
        commands = node_scripts.commands(package, name)
        words = commands[0].words if len(commands) == 1 else ()
        source = _source(tree, folder, words)
        if source is None or source in beside:
            continue
        loaded = _loaded(tree, folder, [source])
        used = {one for script in loaded for one in _packages(tree, folder, script)}
        if next(_working(loaded, used), None) is None:
            continue
        plain = words[0] == "node" and "--env-file" not in " ".join(words)
        command = shlex.join(words) if plain else f"npm run {name}"
        return package.found(command, f"{name} script", "scripts", name)
    return None


def _source(tree: Tree, folder: str, words: Sequence[str]) -> str | None:
    for word in words[1:]:
        if word.startswith("-"):
            continue
        plain = re.sub(r"\.[cm]?[jt]s$", "", word.removeprefix("./"))
        inner = re.sub(r"^(dist|build|out|lib)/", "", plain)
        for stem in (plain, f"src/{inner}", inner):
            for ending in javascript.ENDINGS:
                if tree.has(path := join(folder, stem + ending)):
                    return path
    return None


def _loaded(tree: Tree, folder: str, entries: Sequence[str]) -> list[Script]:
    paths = sorted(javascript.reachable(tree, folder, list(entries)))
    return [script for path in paths if (script := javascript.read(tree, path)) is not None]


def _starts(package: Package, command: str | None) -> bool:
    """Whether what starts it is a program of the project's own."""
    if not command:
        return False
    words = shlex.split(command)
    name = node_scripts.script_of(tuple(words))
    run = [c.words for c in node_scripts.commands(package, name)] if name else [tuple(words)]
    programs = {"node", "bun", "tsx", "ts-node", "tsc", "rimraf", "nodemon", "nest"}
    return bool(run) and all(one and one[0] in programs for one in run)


def _packages(tree: Tree, folder: str, script: Script) -> Iterator[str]:
    """The packages that a file imports: names as they are written for those of Node."""
    for name in javascript.imports(script):
        if name.startswith((".", "/", "@/", "~/", "#")):
            continue
        if javascript.resolve(tree, folder, script.path, name) is None:
            parts = name.split("/")
            yield "/".join(parts[:2]) if name.startswith("@") else name


def _code(script: Script) -> str:
    """The text without what follows `//` and stands between `/*` and `*/`."""
    return re.sub(r"(?<![:\"'])//[^\n]*|/\*.*?\*/", _blank, script.text, flags=re.DOTALL)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _working(scripts: Sequence[Script], used: set[str]) -> Iterator[Found[str]]:
    for script in scripts:
        code = _code(script)
        for name, sign in _WORKS.items():
            if name in used and (match := re.search(sign, code)):
                line = line_at(script.text, match.start())
                yield Found(name, "waits for work", script.path, line)
