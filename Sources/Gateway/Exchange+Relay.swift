// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1

extension Exchange {
    /// Room that is kept free for what framing adds: a chunk's size line and end, the last chunk.
    static let chunkRoomMin = 64

    /// Starts over with a head that has just been parsed.
    mutating func take(_ head: borrowing RequestHead, isDraining: Bool) {
        method = head.method
        minorVersion = head.minorVersion
        keepsAlive = head.keepsAlive && !isDraining
        requestFraming = head.framing
        response = .none
        grant = nil
        hasTrailers = false
        record.bytesIn = UInt64(head.count)
    }

    /// Passes a trailer field on, unless it is one that only a head, or nobody, may set.
    mutating func appendTrailer(
        _ field: TrailerField, in bytes: Span<UInt8>, to output: inout Buffer, isRequest: Bool
    ) {
        if !hasTrailers {
            hasTrailers = true
            output.appendLastChunkBeforeTrailers()
        }
        let isOurs =
            isRequest
            ? field.kind.isRemovedFromRequests : field.kind.isRemovedFromResponses
        guard !isOurs, !field.kind.isHopByHop else { return }
        output.appendField(bytes.extracting(field.name), bytes.extracting(field.value))
    }

    /// Ends a chunked body, with its trailers or without.
    mutating func endChunks(of output: inout Buffer) {
        if hasTrailers {
            output.appendHeadEnd()
        } else {
            output.appendLastChunk()
        }
        hasTrailers = false
    }
}

extension FieldName {
    /// What an upstream may not tell a client in the gateway's name.
    var isRemovedFromResponses: Bool {
        switch self {
        case .agentPortTOTP, .agentPortSession, .agentPortOther, .xRequestID: true
        default: false
        }
    }
}
