// SPDX-License-Identifier: Apache-2.0

import Bytes
import HTTP1
import Telemetry

extension Exchange {
    /// Room that is kept free for what framing adds: a chunk's size line and end, the last chunk.
    static let chunkRoomMin = 64

    /// Plaintext gathered for one send: sealed, it fits a slab.
    static let plaintextMax = 33 * 1024

    /// Read at once of an answer: with what our framing adds it makes two records, so that a
    /// reader who stalls holds what is sealed for it and nothing else.
    static let responseReadMax = 32 * 1024 - 256

    /// Starts over with a head that has just been parsed.
    ///
    /// - Parameter isLast: the connection is to end with it.
    mutating func take(_ head: borrowing RequestHead, isLast: Bool) {
        method = head.method
        minorVersion = head.minorVersion
        keepsAlive = head.keepsAlive && !isLast
        requestFraming = head.framing
        awaitsContinue = head.expectsContinue
        requestBody = BodyDecoder(head.framing)
        response = .none
        isClientsTurn = false
        requestTrailers = false
        responseTrailers = false
        dropsRequestTrailers = head.connection.namesFields
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
            var hasBegun = requestTrailers
            appendTrailer(field, in: bytes, to: &output, isRequest: true, &hasBegun)
            requestTrailers = hasBegun
        case .end:
            request = .complete
            if isChunked { output.endChunks(hasTrailers: requestTrailers) }
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
            guard isChunked else { break }
            var hasBegun = responseTrailers
            appendTrailer(field, in: bytes, to: &plain, isRequest: false, &hasBegun)
            responseTrailers = hasBegun
        }
        return event.consumed
    }

    /// Passes a trailer field on, unless it is one that only a head, or nobody, may set.
    private func appendTrailer(
        _ field: TrailerField, in bytes: Span<UInt8>, to output: inout Buffer, isRequest: Bool,
        _ hasBegun: inout Bool
    ) {
        if !hasBegun {
            hasBegun = true
            output.appendLastChunkBeforeTrailers()
        }
        let isOurs =
            isRequest
            ? field.kind.isRemovedFromRequests || field.kind == .traceparent
                || field.kind == .tracestate
            : field.kind.isRemovedFromResponses
        let isNominated = isRequest ? dropsRequestTrailers : dropsResponseTrailers
        guard !isOurs, !isNominated, !field.kind.isHopByHop else { return }
        output.appendField(bytes.extracting(field.name), bytes.extracting(field.value))
    }

    /// Ends the chunked answer, with its trailers or without.
    func endResponseChunks(of plain: inout Buffer) {
        plain.endChunks(hasTrailers: responseTrailers)
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
    fileprivate mutating func endChunks(hasTrailers: Bool) {
        if hasTrailers {
            appendHeadEnd()
        } else {
            appendLastChunk()
        }
    }

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
