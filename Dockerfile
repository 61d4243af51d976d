# heddle's two images, for those who have a builder of images; `make images` needs none. Both take
# their file trees from tools/make-image, so that they hold the same files.
#
#   docker build --target heddle -t heddle/heddle:0.1.0 .
#   docker build --target proxy -t heddle/proxy:0.1.0 .
FROM debian:12 AS build
RUN apt-get update && apt-get install -y --no-install-recommends make python3 python3-venv
WORKDIR /src
COPY . .
RUN make && tools/deps images && tools/make-image --stage

FROM scratch AS heddle
COPY --from=build /src/build/images/root/heddle /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
USER 65532:65532
ENTRYPOINT ["/usr/local/bin/heddle"]

FROM scratch AS proxy
COPY --from=build /src/build/images/root/proxy /
ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin
USER 15000:15000
ENTRYPOINT ["/usr/local/bin/heddle"]
