// SPDX-License-Identifier: Apache-2.0

/// One exchange: what is asked, what is to be answered, and what became of both. Client, upstream
/// and oracle each write their part.
final class Call {
    enum Method: String { case get = "GET", head = "HEAD", post = "POST", put = "PUT" }
    enum Framing { case none, length, chunked, untilClose }
    enum Credentials { case none, code, missing, wrongKey }

    /// What is wrong with a request; each has to be refused, and must reach no upstream.
    enum Flaw: CaseIterable {
        case bareLineFeed, twoLengths, lengthAndChunked, spaceBeforeColon, noVersion, controlByte
        case ambiguousPath, unknownExpectation, version2, longLine, manyFields, bodyTooLong
        case noRoute, badChunk, longChunks
    }

    enum Own: String { case health = "/healthz", keySet = "/.well-known/jwks.json" }

    let id: Int
    let visitor: UInt32
    var method = Method.get
    var credentials = Credentials.none
    var framing = Framing.none
    var bodyCount = 0
    var hasTrailers = false
    var expectsContinue = false
    /// Of HTTP/1.0: no chunks, no interim answers, and the answer's end may be the connection's.
    var isOld = false
    /// What the gateway itself answers.
    var own: Own?
    /// Written in tiny pieces.
    var isSlow = false
    var flaw: Flaw?
    var answer = Answer()

    /// What was done to it that may keep it from its answer.
    var injected = Injected()

    // The client's part

    /// All of its bytes have been handed to TLS.
    var isWritten = false
    var isBegun = false
    var begunAt: UInt64 = 0
    /// Where its first byte lies among all that the client has sent.
    var firstByte = 0
    /// An answer before it announced the connection's end.
    var isBehindClose = false
    var outcome = Outcome.none

    // The upstream's part

    /// Heads with this id that have come upstream, and requests that were whole there.
    var arrivals = 0
    var wholeArrivals = 0
    var isAnswerWhole = false
    var interimsSent = 0
    /// The numbers of the upstream connections that it came on.
    var links: [UInt32] = []
    /// The connection it came on had more to say than was asked.
    var isPoisoned = false

    init(id: Int, visitor: UInt32) {
        self.id = id
        self.visitor = visitor
    }

    /// As the client saw it.
    enum Outcome: Equatable {
        case none
        /// An upstream's answer, whole, each byte of it as it should be.
        case answered(status: Int)
        /// The gateway's own answer, whole.
        case refused(code: String)
        /// The connection ended within the answer, or before it.
        case cut(hasBegun: Bool)
    }
}

/// What the upstream is to do.
struct Answer {
    enum Fault: Equatable {
        case none
        /// Ends the connection when the request is there.
        case close, reset
        /// After so many hundredths of the answer.
        case cut(hundredths: Int, resets: Bool)
        /// Says nothing for longer than it may.
        case silence
        case garbage(Int)
        case hugeHead, switching, badChunk
    }

    enum Moment { case atHead, atBody }

    var status = 200
    var framing = Call.Framing.length
    var bodyCount = 0
    var hasTrailers = false
    var interims = 0
    var moment = Moment.atBody
    var fault = Fault.none
    /// Nanoseconds before it begins, and in its middle.
    var delay: UInt64 = 0
    var pause: UInt64 = 0
    /// Says `connection: close` and does so.
    var closes = false
    /// Ends the connection right after, and does not say so.
    var closesSilently = false
    /// Another answer follows that nobody asked for.
    var isFollowed = false
    var pieceBytes = 65_536
    var isBodyless: Bool { status == 204 || status == 304 }
}

/// What may keep a call from its answer. Where there is nothing of it, it must get it.
struct Injected: OptionSet {
    let rawValue: UInt32
    /// The client went away, was cut off, or has not sent all of it.
    static let clientLeft = Injected(rawValue: 1)
    static let clientSlow = Injected(rawValue: 2)
    static let clientGarbled = Injected(rawValue: 4)
    static let clientDeaf = Injected(rawValue: 8)
    static let upstreamLeft = Injected(rawValue: 16)
    static let upstreamCut = Injected(rawValue: 32)
    static let upstreamSilent = Injected(rawValue: 64)
    static let upstreamGarbled = Injected(rawValue: 128)
    /// Its bytes met an upstream connection that had been closed.
    static let lost = Injected(rawValue: 256)
    /// Answered before all of it was there: the rest of the body may break the connection.
    static let early = Injected(rawValue: 512)
    /// A call before it on the connection ended that.
    static let behind = Injected(rawValue: 1024)
    /// What has to be refused.
    static let flawed = Injected(rawValue: 2048)
    /// The gateway is kept short of memory or of connections.
    static let scarce = Injected(rawValue: 4096)
    /// The kernel refused to accept the client.
    static let turnedAway = Injected(rawValue: 8192)
    /// Not a byte of it was there when the gateway sent FIN.
    static let late = Injected(rawValue: 16_384)
}
