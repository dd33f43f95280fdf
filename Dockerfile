# The portal's image (target "portal", the last one) and a small OpenLDAP for trying it (target "directory").
# One image for web, worker and dispatch: docker-compose.yml and docs/deployment.md say with which command each runs.

FROM node:22.14.0-bookworm-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
COPY script/assets script/assets.mjs script/
COPY static/src static/src
# The style sheet keeps only the rules whose classes these name.
COPY templates templates
COPY web web
RUN script/assets

FROM python:3.11.13-slim-bookworm AS packages
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev libldap-dev libpq-dev libsasl2-dev \
    && rm -rf /var/lib/apt/lists/*
COPY requirements.txt /build/requirements.txt
# Hashes are checked while the wheels are made; what is installed are those wheels and nothing from elsewhere.
RUN pip wheel --no-cache-dir --require-hashes --wheel-dir /build/wheels --requirement /build/requirements.txt \
    && python -m venv /opt/portal \
    && /opt/portal/bin/pip install --no-cache-dir --no-index --no-deps /build/wheels/*.whl

FROM python:3.11.13-slim-bookworm AS base
# libldap and libpq for the two packages that were built from source; git and ssh for GitOps clusters; tini so that
# signals reach what is asked to end.
RUN apt-get update && apt-get install -y --no-install-recommends git libldap-2.5-0 libpq5 libsasl2-2 openssh-client tini \
    && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/portal /opt/portal
ENV PATH=/opt/portal/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORTAL_STATIC_ROOT=/srv/static

FROM base AS application
RUN apt-get update && apt-get install -y --no-install-recommends gettext && rm -rf /var/lib/apt/lists/*
WORKDIR /srv/portal
COPY manage.py ./
COPY static/src static/src
COPY --from=assets /build/static/dist static/dist
COPY templates templates
COPY locale locale
COPY portal portal
COPY onboarding onboarding
COPY catalog catalog
COPY tenants tenants
COPY workflow workflow
COPY clusters clusters
COPY notify notify
COPY accounts accounts
COPY audit audit
COPY work work
COPY web web
COPY deploy/healthcheck.py deploy/
COPY script/local/__init__.py script/local/variables.py /tmp/settings/script/local/
# The settings want every variable; what this prints is good for nothing else than collecting static files.
RUN find locale -name '*.po' -execdir msgfmt --output-file django.mo {} \; \
    && eval "$(PYTHONPATH=/tmp/settings python -m script.local.variables)" \
    && PORTAL_STATIC_ROOT=/srv/static python manage.py collectstatic --noinput --verbosity 0 \
    && python -m compileall -q /srv/portal

FROM debian:12.11-slim AS directory
RUN apt-get update && apt-get install -y --no-install-recommends ldap-utils slapd tini \
    && rm -rf /var/lib/apt/lists/* /var/lib/ldap/* \
    && useradd --system --uid 10002 --no-create-home directory
COPY deploy/directory/slapd.conf deploy/directory/start deploy/directory/healthcheck /etc/directory/
COPY script/local/directory.ldif /etc/directory/directory.ldif
USER 10002
EXPOSE 1636
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["/etc/directory/healthcheck"]
ENTRYPOINT ["tini", "--", "/etc/directory/start"]

FROM base AS portal
RUN useradd --system --uid 10001 --no-create-home portal && install -d -o 10001 -g 10001 /srv/gitops
# Owned by root: the portal cannot change its own code.
COPY --from=application /srv/portal /srv/portal
COPY --from=application /srv/static /srv/static
WORKDIR /srv/portal
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=20s CMD ["python", "deploy/healthcheck.py"]
ENTRYPOINT ["tini", "--"]
CMD ["python", "-m", "granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--workers", "1", "--blocking-threads", "8", "portal.wsgi:application"]
