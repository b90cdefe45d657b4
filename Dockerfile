# The three images, from what `npm ci && npm run bundle` leaves:
#
#     docker build --target proxy      -t sallyport/proxy:0.1.0 .
#     docker build --target init       -t sallyport/init:0.1.0 .
#     docker build --target controller -t sallyport/controller:0.1.0 .
#
# `npm run images` does that and states the sizes. One file, so that the images share a layer: a node that runs an
# injected pod fetches Node once, and not for each of them. docs/reference/images.md

ARG BASE=docker.io/library/debian:bookworm-slim

# Node, and of Debian exactly the libraries that it is linked with. Without symbol tables it is a seventh smaller.
FROM ${BASE} AS files
RUN apt-get update \
 && apt-get install --yes --no-install-recommends binutils iptables \
 && rm -rf /var/lib/apt/lists/*
COPY node_modules/node-linux-*/bin/node /opt/sallyport/node
COPY scripts/images/files.sh /
RUN strip /opt/sallyport/node && sh /files.sh

# Built beside the libraries that it will meet: an addon compiled against a newer glibc does not load, and says so here.
FROM files AS addon
COPY dist/proxy/build/Release/sallyport.node /addon/sallyport.node
RUN strip --strip-unneeded /addon/sallyport.node \
 && /opt/sallyport/node --eval 'process.dlopen({ exports: {} }, "/addon/sallyport.node")'

FROM scratch AS runtime
COPY --from=files /runtime/ /
WORKDIR /
ARG VERSION=0.1.0
LABEL org.opencontainers.image.vendor="Sallyport" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}"

# What changes most stands last.

FROM runtime AS proxy
LABEL org.opencontainers.image.title="sallyport proxy" \
      org.opencontainers.image.description="The sidecar through which a pod's outbound TCP connections leave"
USER 65532:65532
ENTRYPOINT ["/opt/sallyport/node", "--max-semi-space-size=1", "/opt/sallyport/proxy.cjs"]
COPY --from=addon /addon/ /opt/sallyport/build/Release/
COPY dist/proxy/proxy.cjs dist/proxy/page.html /opt/sallyport/

# As root: iptables asks for it. The capabilities are the container's, NET_ADMIN and NET_RAW.
FROM runtime AS init
LABEL org.opencontainers.image.title="sallyport init" \
      org.opencontainers.image.description="Writes the rules that send a pod's connections through the sidecar, and exits"
USER 0:0
ENTRYPOINT ["/opt/sallyport/node", "/opt/sallyport/init.cjs"]
COPY --from=files /iptables/ /
COPY dist/init/init.cjs /opt/sallyport/

FROM runtime AS controller
LABEL org.opencontainers.image.title="sallyport controller" \
      org.opencontainers.image.description="The admission webhook that puts the sidecar into pods"
USER 65532:65532
ENTRYPOINT ["/opt/sallyport/node", "/opt/sallyport/controller.cjs"]
COPY dist/controller/controller.cjs /opt/sallyport/
