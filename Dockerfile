# The image of image-checker: `docker build -t image-checker .`

# A mirror's name for the same image, or one with a registry's CA and npm settings for the build
# alone, come with --build-arg. scripts/docker/prove.sh reads the version here.
ARG NODE_IMAGE=node:24.21.0-bookworm-slim
ARG BUILD_IMAGE=${NODE_IMAGE}

FROM ${BUILD_IMAGE} AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY scripts/sbom.js scripts/
RUN npm run build && node scripts/sbom.js image-checker.cdx.json \
    && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM ${NODE_IMAGE}
# Nothing installs packages at run time, and what npm and yarn carry along would have to be patched.
RUN rm -rf /usr/local/lib/node_modules /usr/local/bin/npm /usr/local/bin/npx \
      /usr/local/bin/corepack /usr/local/bin/yarn /usr/local/bin/yarnpkg /opt/yarn-*
# A number, so that Kubernetes' runAsNonRoot can tell; the one that distroless images use, too.
# A named volume takes its owner and mode from the folder of the image that it covers first.
RUN install -d -o 65532 -g 65532 /etc/kubernetes/admission /etc/image-checker \
    && install -d -o 65532 -g 65532 -m 0700 /etc/image-checker/pki
WORKDIR /app
COPY --from=build /build/package.json /build/image-checker.cdx.json ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
ENV NODE_ENV=production
USER 65532:65532
EXPOSE 1234
# From within, since the admin listener is on loopback. Each probe is a process of its own.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Exec form: node is process 1 and gets the signal itself.
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/dist/main.js"]
CMD ["serve", "--config", "/etc/image-checker/config.yaml"]
