# The relay, from the sources of this repository.
#
#   docker build -t tidemark .
#   docker run -v tidemark-data:/data -v ./config:/config:ro -p 127.0.0.1:8787:8787 tidemark
#
# Debian and not Alpine: the database driver is built for glibc first, and tested with it.
ARG NODE_IMAGE=node:20.20.2-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /build
# What is installed depends on these files only: as long as they are the same, the layer is.
COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./
COPY packages/core/package.json packages/core/
COPY packages/server/package.json packages/server/
RUN npx --yes pnpm@10.34.9 install --frozen-lockfile --filter tidemark --filter "@tidemark/server..."
COPY tsconfig.base.json ./
COPY packages/core packages/core
COPY packages/server packages/server
RUN npx tsc -b packages/server
RUN npx --yes pnpm@10.34.9 --filter @tidemark/server deploy --prod --legacy /app

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
COPY --from=build /app /app
# Owned by the user that runs it before it becomes a volume: a new volume takes that over.
RUN mkdir -p /data /backups /config && chown node:node /data /backups
# `tidemark.config.mjs` is looked for here.
WORKDIR /config
USER node
VOLUME ["/data", "/backups"]
EXPOSE 8787
# `/ready` is 503 while the storage fails: then nothing is acknowledged.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8787/ready').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The relay is the first process and handles the signal itself: it answers what it has, says goodbye and closes the database.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/cli.js"]
# Without authentication it refuses to listen to more than loopback: configure that, or share the network of a proxy.
CMD ["serve", "--data", "/data", "--host", "0.0.0.0", "--port", "8787"]
