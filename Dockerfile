# One image for web, engine, worker, beat and the one-shot commands; compose.yaml says which runs what.
# The pages' scripts are committed as built, so Node is not needed.
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
RUN apt-get update && apt-get install --no-install-recommends -y gettext && rm -rf /var/lib/apt/lists/*
RUN pip install --no-cache-dir uv
WORKDIR /app
ENV UV_PROJECT_ENVIRONMENT=/app/.venv UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
# The environment first: it changes less often than the code.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev
COPY . .
# Keys made by these commands are for the build alone and stay in it.
RUN STATE_DIR=/tmp/build .venv/bin/python manage.py compilemessages --ignore .venv
RUN STATE_DIR=/tmp/build STATIC_ROOT=/app/staticfiles .venv/bin/python manage.py collectstatic --no-input

FROM ${PYTHON_IMAGE}
# espeak-ng speaks prompts, postgresql-client makes and brings back backups.
RUN apt-get update \
    && apt-get install --no-install-recommends -y espeak-ng postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 trunkline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin trunkline \
    && install -d -o trunkline -g trunkline -m 0750 /state /journal /backup \
    && install -d -o trunkline -g trunkline /srv/recordings /srv/cdr \
        /srv/switch /srv/switch/conf /srv/switch/sounds /srv/switch/certs
COPY --from=build --chown=root:root /app /app
WORKDIR /app
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    STATE_DIR=/state JOURNAL_DIR=/journal RECORDINGS_DIR=/srv/recordings CDR_DIR=/srv/cdr STATIC_ROOT=/app/staticfiles
USER trunkline
VOLUME ["/state", "/journal", "/srv/recordings", "/srv/cdr", "/srv/switch/conf", "/srv/switch/sounds", "/srv/switch/certs"]
CMD ["python", "manage.py", "web"]
