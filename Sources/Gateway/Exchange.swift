// SPDX-License-Identifier: Apache-2.0

import Bytes
import Filters
import HTTP1
import Identity
import Telemetry

/// One request and its answer, from the head's first byte to the answer's last.
struct Exchange {
    enum RequestState: Equatable {
        case awaitingHead
        /// A filter waits; the head, and what has come of the body, stay where they are.
        case judging
        case receivingBody
        case complete
    }

    enum ResponseState: Equatable {
        /// No request yet, or its answer is still to be decided.
        case none
        /// The upstream has the request, or is getting it.
        case awaitingHead
        case streaming
        case complete
    }

    var parser = RequestHeadParser()
    var request = RequestState.awaitingHead
    var response = ResponseState.none
    var requestBody = BodyDecoder()
    var responseBody = BodyDecoder()
    /// How the client is told the answer's end.
    var responseFraming = BodyFraming.none
    /// How the upstream is told the request's end.
    var requestFraming = BodyFraming.none
    /// Index in the upstream pool; -1 without one.
    var connection = -1
    /// The request is in line for an upstream connection, since then; monotonic milliseconds.
    var waitingSince: UInt64 = 0
    /// Its place in that line.
    var ticket: UInt64 = 0
    /// The endpoints, as bits, that could not be reached, and how often one was tried.
    var tried: UInt64 = 0
    var attempts = 0
    /// What the route says; milliseconds, bytes. An answer may pause for ever where `idle` is 0.
    var connectMilliseconds: UInt64 = 0
    var firstByteMilliseconds: UInt64 = 0
    var idleMilliseconds: UInt64 = 0
    var bodyMilliseconds: UInt64 = 0
    var bodyMax: UInt64 = 0
    var method = Method.other
    var minorVersion: UInt8 = 1
    /// There are too many connections, of which this is one.
    var isSurplus = false
    /// The client connection outlives this exchange.
    var keepsAlive = true
    /// When the head's first byte was seen, and when its last; monotonic nanoseconds.
    var startedAt: UInt64 = 0
    /// Time spent here rather than in the upstream.
    var ownNanoseconds: UInt64 = 0
    var record = AccessRecord()
    /// What the chain has found out.
    var facts = RequestFacts()
    var pause = Pause()
    var memo = Memo()
    /// The last chunk is written and trailer fields follow: in the request, in the answer.
    var requestTrailers = false
    var responseTrailers = false
    /// Connection named fields of this hop, which may stand in the trailer section: it ends here.
    var dropsRequestTrailers = false
    var dropsResponseTrailers = false
    /// The target that is forwarded lies in the context's scratch line, not in the head.
    var isTargetRewritten = false
    var targetCount = 0
    /// The client sends its body once it is told to (RFC 9110 §10.1.1).
    var awaitsContinue = false
    /// The upstream has all that has come of the body: nothing happens until more comes.
    var isClientsTurn = false
    /// The upstream keeps its connection open after this answer.
    var responseReuses = false
    var continuesTrace = false
    var traceFlags: UInt8 = 0

    /// Whether a request has been read that is neither forwarded and answered nor refused.
    var isUnderway: Bool { connection >= 0 || waitingSince > 0 || request == .judging }

    /// Whether the request's answer, if any, is underway or over.
    var hasResponseBegun: Bool { response == .streaming || response == .complete }
}

/// Where and for what a request stands still in the chain.
struct Pause {
    /// Where the filter that waits stands in the chain of which generation, and the kinds of those
    /// before it.
    var position = 0
    var passed: UInt16 = 0
    var revision = 0
    var awaited = Awaited.body
    /// Monotonic milliseconds; 0 where nothing waits.
    var since: UInt64 = 0
    /// How much of the request the filter has seen.
    var seen = 0
    /// When to ask the filter again though nothing has come; monotonic milliseconds.
    var nextLook: UInt64 = 0
}

/// Where the texts that the log and the answer need lie in the connection's memo buffer.
struct Memo {
    var requestID: Range<Int> = 0..<0
    var traceID: Range<Int> = 0..<0
    var spanID: Range<Int> = 0..<0
    var method: Range<Int> = 0..<0
    var path: Range<Int> = 0..<0
    var serverName: Range<Int> = 0..<0
}
