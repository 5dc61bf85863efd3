// Echo with uWebSockets.  usage: uws PORT [deflate | takeover]

#include "App.h"

#include <cstdlib>
#include <string>

struct Nothing {};

int main(int argc, char **argv) {
    const int port = argc > 1 ? std::atoi(argv[1]) : 0;
    const std::string mode = argc > 2 ? argv[2] : "";

    // "deflate" is what ws_compression does by default: no context takeover in either direction.
    uWS::CompressOptions compression = uWS::DISABLED;
    if (mode == "deflate") {
        compression = uWS::CompressOptions(uWS::SHARED_COMPRESSOR | uWS::SHARED_DECOMPRESSOR);
    } else if (mode == "takeover") {
        compression = uWS::CompressOptions(uWS::DEDICATED_COMPRESSOR | uWS::DEDICATED_DECOMPRESSOR);
    }

    uWS::App()
        .ws<Nothing>("/*", {
            .compression = compression,
            .maxPayloadLength = 1024 * 1024,
            .idleTimeout = 120,
            .maxBackpressure = 1024 * 1024,
            .message = [](auto *ws, std::string_view message, uWS::OpCode opcode) {
                ws->send(message, opcode, true);
            },
        })
        .listen("127.0.0.1", port, [](auto *socket) {
            if (!socket) {
                std::exit(1);
            }
        })
        .run();
    return 1;
}
