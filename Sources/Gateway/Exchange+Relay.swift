// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Telemetry

extension Exchange {
    /// Room that is kept free for what framing adds: a chunk's size line and end, the last chunk.
    static let chunkRoomMin = 64

    /// Plaintext gathered for one send: sealed, it fits a slab with room for a head beside it.
    static let plaintextMax = 32 * 1024

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

    /// Moves one piece of the request's body into `output`, framed as the upstream is told.
    ///
    /// - Returns: how many bytes were used up.
    mutating func relayRequest(
        _ bytes: Span<UInt8>, to output: inout Buffer
    ) throws(BodyFault) -> Int {
        let isChunked = requestFraming == .chunked
        let event = try requestBody.next(bytes, from: 0)
        switch event {
        case .needMore: break
        case .data(let range):
            record.bytesIn += UInt64(range.count)
            output.append(bytes.extracting(range), isChunk: isChunked)
            if !isChunked, requestBody.isComplete { request = .complete }
        case .trailer(let field):
            appendTrailer(field, in: bytes, to: &output, isRequest: true)
        case .end:
            request = .complete
            if isChunked { endChunks(of: &output) }
        }
        return event.consumed
    }

    /// Moves one piece of the answer's body into `plain`, framed as the client is told.
    ///
    /// - Returns: how many bytes were used up.
    mutating func relayResponse(
        _ bytes: Span<UInt8>, to plain: inout Buffer
    ) throws(BodyFault) -> Int {
        let isChunked = responseFraming == .chunked
        let event = try responseBody.next(bytes, from: 0)
        switch event {
        case .needMore, .end: break
        case .data(let range): plain.append(bytes.extracting(range), isChunk: isChunked)
        case .trailer(let field):
            if isChunked { appendTrailer(field, in: bytes, to: &plain, isRequest: false) }
        }
        return event.consumed
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

extension Buffer {
    fileprivate mutating func append(_ data: Span<UInt8>, isChunk: Bool) {
        if isChunk {
            appendChunk(data)
        } else {
            append(data)
        }
    }
}

extension Span where Element == UInt8 {
    @_lifetime(copy self)
    func prefix(_ most: Int) -> Span<UInt8> { extracting(0..<Swift.min(count, most)) }
}
