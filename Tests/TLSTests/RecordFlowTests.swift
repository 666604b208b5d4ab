// SPDX-License-Identifier: Apache-2.0

import Bytes
import TestSupport
import Testing

@testable import TLS

/// What a peer may do, wherever its bytes are cut and however little room there is.
@Suite("Record flow")
struct RecordFlowTests {
    static let suites = [CipherSuite.aes128GCM, .aes256GCM, .chaCha20Poly1305]
    static let update = RecordContentTests.update
    static let rooms = [1, 2, 100, 20_000]

    private func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 11) }
    }

    // MARK: Sizes

    /// Padding is taken up to the length of a record (§5.2), although who sends more than 2^14 + 1
    /// bytes of it breaks a rule (§5.4): there are such clients, and libssl takes them too.
    @Test(arguments: suites, rooms)
    func anyPadding(suite: CipherSuite, room: Int) {
        let peer = LayerPeer(suite)
        for count in [0, 1, 2, 15, 16, 17, 255, 256, 1000, 16_383, 16_384, 16_622] {
            let sent = peer.seal(23, [42], padding: count)
            #expect(peer.read(sent, room: room) == ([42], .needMore))
        }
        let zeros = [UInt8](repeating: 0, count: 50)
        #expect(peer.read(peer.seal(23, zeros, padding: 3), room: room) == (zeros, .needMore))
        #expect(peer.answers() == [])
        #expect(peer.unread == 0)
    }

    @Test(arguments: suites, [0, 1, 239])
    func theLargestRecord(suite: CipherSuite, padding: Int) {
        let peer = LayerPeer(suite)
        let content = bytes(16_384)
        for room in [1, 100, 16_383, 16_384, 16_385, 16_386, 16_624, 16_625, 36_864] {
            let sent = peer.seal(23, content, padding: padding)
            #expect(peer.read(sent, room: room) == (content, .needMore))
        }
        #expect(peer.unread == 0)
    }

    /// RFC 6066 §4.
    @Test(arguments: [512, 1024, 2048, 4096])
    func smallerFragments(size: Int) {
        let peer = LayerPeer(plaintextMax: size)
        let content = bytes(size)
        #expect(peer.read(peer.seal(23, content, padding: 600)) == (content, .needMore))
        #expect(peer.write(bytes(size + 1)) == size + 1)
        #expect(peer.answers() == [.data(content), .data([bytes(size + 1)[size]])])
        let tooLong = peer.seal(23, bytes(size + 1))
        RecordContentTests.expectFailed(
            peer.read(tooLong).last, RecordContentTests.recordOverflow, peer)
    }

    @Test func emptyRecordsAreTakenUpToABound() {
        let peer = LayerPeer()
        for _ in 0..<3 {
            for count in 0..<32 {
                let sent = peer.seal(23, [], padding: count)
                #expect(peer.read(sent) == ([], .needMore))
            }
            #expect(peer.read(peer.seal(23, [1])) == ([1], .needMore))
        }
        for _ in 0..<32 { #expect(peer.read(peer.seal(23, [])) == ([], .needMore)) }
        RecordContentTests.expectFailed(
            peer.read(peer.seal(23, [])).last, RecordContentTests.unexpectedMessage, peer)
    }

    // MARK: Alerts

    @Test(arguments: [1, 2] as [UInt8], rooms)
    func aCloseEndsReadingAlone(level: UInt8, room: Int) {
        let peer = LayerPeer()
        let sent = peer.seal(23, bytes(300)) + peer.seal(21, [1, 90]) + peer.seal(21, [level, 0])
        // What follows is ignored, whatever it is (§6.1).
        let (read, last) = peer.read(sent + peer.seal(23, [1]) + [1, 2, 3, 4, 5, 6], room: room)
        #expect(read == bytes(300))
        #expect(last == .closed)
        #expect(peer.read(room: room) == ([], .closed))
        #expect(peer.write([7]) == 1)
        peer.close()
        #expect(peer.answers() == [.data([7]), .init(type: 21, content: [1, 0])])
    }

    @Test func aCancelAloneIsNoEnd() {
        let peer = LayerPeer()
        #expect(peer.read(peer.seal(21, [1, 90]) + peer.seal(23, [5])) == ([5], .needMore))
    }

    /// Every alert but two is an error, whatever its level says (§6).
    @Test(arguments: [1, 2, 3] as [UInt8], [10, 20, 40, 42, 80, 100, 112, 200, 255] as [UInt8])
    func anErrorIsNotAnswered(level: UInt8, number: UInt8) {
        let peer = LayerPeer()
        let sent = peer.seal(23, [1]) + peer.seal(21, [level, number])
        let (read, last) = peer.read(sent + peer.seal(23, [2]))
        #expect(read == [1])
        #expect(last == .failed(.protocolViolation(reason: "the peer has sent an alert")))
        #expect(peer.write([1]) == nil)
        peer.close()
        #expect(peer.answers() == [])
    }

    @Test func noAlertFollowsOurClose() {
        let peer = LayerPeer()
        peer.close()
        #expect(peer.answers() == [.init(type: 21, content: [1, 0])])
        guard case .failed = peer.read([1, 2, 3, 4, 5]).last else {
            Issue.record("garbage was taken")
            return
        }
        #expect(peer.answers() == [])
    }

    @Test(arguments: [1, 2, 23])
    func anAlertWithoutRoomIsDropped(room: Int) {
        let peer = LayerPeer(room: room)
        guard case .failed = peer.read([1, 2, 3, 4, 5]).last else {
            Issue.record("garbage was taken")
            return
        }
        peer.close()
        #expect(peer.answers() == [])
    }

    @Test func anAlertFits24Bytes() {
        let peer = LayerPeer(room: 24)
        RecordContentTests.expectFailed(
            peer.read([1, 2, 3, 4, 5]).last, RecordContentTests.unexpectedMessage, peer)
    }

    // MARK: Key updates

    @Test(
        arguments: suites, [[5], [1, 4], [2, 3], [3, 2], [4, 1], [1, 1, 1, 1, 1], [2, 2, 1]])
    func anUpdateInPieces(suite: CipherSuite, pieces: [Int]) {
        for isAnswered in [false, true] {
            let peer = LayerPeer(suite)
            var rest = Array(Self.update.dropLast()) + [isAnswered ? 1 : 0]
            var sent: [UInt8] = []
            for count in pieces {
                sent += peer.seal(22, Array(rest.prefix(count)), padding: count)
                rest.removeFirst(count)
            }
            peer.changeKey()
            sent += peer.seal(23, [1, 2])
            #expect(peer.read(sent) == ([1, 2], .needMore))
            #expect(peer.answers() == [])
            #expect(peer.write([3]) == 1)
            #expect(peer.answers() == (isAnswered ? [.keyUpdate, .data([3])] : [.data([3])]))
        }
    }

    @Test func manyRequestsAreAnsweredOnce() {
        let peer = LayerPeer()
        for _ in 0..<20 { #expect(peer.read(peer.sealKeyUpdate(isAnswered: true)).bytes == []) }
        #expect(peer.write([1]) == 1)
        #expect(peer.write([2]) == 1)
        #expect(peer.answers() == [.keyUpdate, .data([1]), .data([2])])
    }

    /// Each costs some work, so that they count as records without data.
    @Test func updatesWithoutDataAreBounded() {
        let peer = LayerPeer()
        for _ in 0..<32 { #expect(peer.read(peer.sealKeyUpdate()).last == .needMore) }
        RecordContentTests.expectFailed(
            peer.read(peer.sealKeyUpdate()).last, RecordContentTests.unexpectedMessage, peer)
    }

    @Test func anAlertIsSealedWithTheKeyOfItsTime() {
        let before = LayerPeer()
        _ = before.read(before.sealKeyUpdate(isAnswered: true))
        RecordContentTests.expectFailed(
            before.read([0, 0, 0, 0, 0]).last, RecordContentTests.unexpectedMessage, before)
        let after = LayerPeer()
        _ = after.read(after.sealKeyUpdate(isAnswered: true))
        #expect(after.write([1]) == 1)
        #expect(after.answers() == [.keyUpdate, .data([1])])
        RecordContentTests.expectFailed(
            after.read([0, 0, 0, 0, 0]).last, RecordContentTests.unexpectedMessage, after)
    }

    // MARK: Cuts and rooms

    /// A stream with something of each kind, and its data.
    private func stream(_ peer: LayerPeer) -> (sealed: [UInt8], data: [UInt8]) {
        var sealed = peer.seal(23, bytes(5)) + peer.seal(23, []) + peer.seal(23, bytes(90))
        sealed += peer.seal(22, [24, 0, 0]) + peer.seal(22, [1, 1])
        peer.changeKey()
        sealed += peer.seal(23, bytes(30), padding: 40) + peer.sealKeyUpdate()
        sealed += peer.seal(21, [1, 90]) + peer.seal(23, [9]) + peer.seal(21, [1, 0])
        return (sealed, bytes(5) + bytes(90) + bytes(30) + [9])
    }

    @Test(arguments: suites, [1, 16, 17, 50, 20_000])
    func everyCut(suite: CipherSuite, room: Int) {
        let (sealed, data) = stream(LayerPeer(suite))
        for cut in 0...sealed.count {
            let peer = LayerPeer(suite)
            let first = peer.read(Array(sealed[..<cut]), room: room)
            #expect(first.last == (cut < sealed.count ? .needMore : .closed))
            let second = peer.read(Array(sealed[cut...]), room: room)
            #expect(second.last == .closed)
            #expect(first.bytes + second.bytes == data)
        }
        let peer = LayerPeer(suite)
        var read: [UInt8] = []
        for byte in sealed { read += peer.read([byte], room: room).bytes }
        #expect(read == data)
        #expect(peer.read().last == .closed)
    }

    @Test func everyRoom() {
        let sizes = [1, 300, 16_384, 2, 5000]
        let near = { (size: Int) in Array((size - 2)...(size + 20)) }
        let rooms = Array(1...40) + near(300) + near(5000) + near(16_384) + [36_864]
        for room in rooms {
            let peer = LayerPeer()
            let sealed = sizes.flatMap { peer.seal(23, bytes($0), padding: $0 % 7) }
            #expect(peer.read(sealed, room: room) == (sizes.flatMap(bytes), .needMore))
            #expect(peer.unread == 0)
        }
    }

    /// The plaintext that lies in the input is handed over first, and whole.
    @Test(arguments: 1...12)
    func whatWasOpenedInPlaceSurvivesWhatFollows(room: Int) {
        let peer = LayerPeer()
        let sealed =
            peer.seal(23, bytes(10)) + [23, 3, 3, 0, 20] + [UInt8](repeating: 0, count: 20)
        let (read, last) = peer.read(sealed, room: room)
        #expect(read == bytes(10))
        RecordContentTests.expectFailed(last, RecordContentTests.badRecordMAC, peer)
    }

    @Test(arguments: 1...20)
    func atRandom(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        let peer = LayerPeer(Self.suites.randomElement(using: &random) ?? .aes128GCM)
        var sent: [UInt8] = [], data: [UInt8] = [], read: [UInt8] = []
        for _ in 0..<40 {
            let content = bytes(Int.random(in: 1...3000, using: &random))
            sent += peer.seal(23, content, padding: Int.random(in: 0...200, using: &random))
            if Bool.random(using: &random) { sent += peer.sealKeyUpdate(isAnswered: true) }
            data += content
            while sent.count > 100 {
                let cut = Int.random(in: 1...sent.count, using: &random)
                let room = Int.random(in: 1...4000, using: &random)
                let (bytes, last) = peer.read(Array(sent[..<cut]), room: room)
                guard last == .needMore else {
                    Issue.record("seed \(seed): \(last)")
                    return
                }
                read += bytes
                sent.removeFirst(cut)
            }
            #expect(peer.write(content) == content.count)
            let answers = peer.answers() ?? []
            #expect(answers.last == .data(content), "seed \(seed)")
        }
        #expect(read + peer.read(sent).bytes == data, "seed \(seed)")
    }
}
