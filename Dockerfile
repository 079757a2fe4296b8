# The worker, its tools and the simulator, as one image that runs as nobody in particular.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml README.md ./
COPY consumer consumer
COPY handlers handlers
COPY simulator simulator
# an environment of its own: `consumer` and `handlers` are generic import names (docs/adr/0007)
RUN python -m venv /opt/trove-resources \
 && /opt/trove-resources/bin/pip install --no-cache-dir '.[postgresql]'

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin trove-resources
COPY --from=build /opt/trove-resources /opt/trove-resources
ENV PATH=/opt/trove-resources/bin:$PATH PYTHONUNBUFFERED=1
USER 10001
EXPOSE 9142
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9142/healthz', timeout=4)"]
ENTRYPOINT ["trove-resources"]
CMD ["worker"]
