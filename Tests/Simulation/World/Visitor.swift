// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// One client connection, from connect to close.
final class Visitor: Actor {
    enum Phase { case handshake, talking, leaving, gone }

    /// What is written of a call, and how far.
    struct Writing {
        let call: Call
        let text: RequestText
        var offset = 0
        /// The body goes out when the gateway says so, or then.
        var holdsBodyUntil: UInt64 = 0
    }

    let id: UInt32
    let address: UInt32
    let manners: Manners
    unowned let world: World
    let line: Line
    let tls: TLSPeer
    let startedAt: UInt64

    var phase = Phase.handshake
    var doom: Doom?
    var reader = MessageReader(isRequests: false)
    var reading = Reading()
    var awaiting: [Call] = []
    var writing: Writing?
    var callsLeft: Int
    /// Sealed, and not sent yet.
    var cipher: [UInt8] = []
    var cipherStart = 0
    var sentCount = 0
    var receivedCount = 0
    var nextRead: UInt64 = 0
    var nextWrite: UInt64 = 0
    var nextCall: UInt64 = 0
    /// When something last moved.
    var lastProgress: UInt64
    var isDeaf = false
    var isSilent = false
    /// Has sent a record that is none, and gets an alert for it.
    var isGarbled = false
    /// No more requests: the gateway has said that it will close, or this side has.
    var isClosing = false
    var session: (token: String, since: UInt64)?

    init?(id: UInt32, world: World, manners: Manners, address: UInt32, profile: sk_profile) {
        var profile = profile
        let ticket = manners.resumes ? world.tickets[address] : nil
        guard let tls = TLSPeer(resuming: ticket),
            let end = unsafe sk_connect(World.gatewayPort, address, id, &profile)
        else { return nil }
        self.id = id
        self.world = world
        self.manners = manners
        self.address = address
        self.tls = tls
        line = unsafe Line(end)
        doom = manners.doom
        callsLeft = manners.calls
        startedAt = sk_now()
        lastProgress = startedAt
        tls.handshake()
    }

    func wake() {
        guard phase != .gone else { return }
        let now = sk_now()
        meetDoom(now)
        if phase != .gone, !isDeaf, now >= nextRead { receive(now) }
        if phase != .gone { advance(now) }
        if phase != .gone, !isSilent, now >= nextWrite { send(now) }
        if phase != .gone { rest(now) }
    }

    /// Has itself woken for what is to be done next though nothing comes.
    private func rest(_ now: UInt64) {
        var next = UInt64.max
        if !isDeaf, nextRead > now { next = min(next, nextRead) }
        if cipherStart < cipher.count, nextWrite > now { next = min(next, nextWrite) }
        if nextCall > now { next = min(next, nextCall) }
        if let hold = writing?.holdsBodyUntil, hold > now { next = min(next, hold) }
        if case .after(let time) = doom?.trigger { next = min(next, startedAt + time) }
        if next != .max { sk_wake(id, next) }
    }

    // MARK: Receiving

    private func receive(_ now: UInt64) {
        while phase != .gone {
            var bytes: [UInt8] = []
            switch line.receive(into: &bytes, limit: manners.readLimit) {
            case .bytes(let count):
                receivedCount += count
                lastProgress = now
                tls.feed(bytes.span)
                if !tls.isConnected { tls.handshake() }
                if tls.isConnected { take() }
                if tls.hasFailed, !isGarbled {
                    world.fail(.broken, "the client's TLS has failed", visitor: self)
                }
                guard manners.readGap == 0 else {
                    nextRead = now + manners.readGap
                    return
                }
            case .nothingYet: return
            case .end: return end(isReset: false)
            case .failed: return end(isReset: true)
            }
        }
    }

    private func take() {
        if phase == .handshake {
            phase = .talking
            world.counts.handshakes += 1
            if tls.wasResumed { world.counts.resumptions += 1 }
        }
        var plain: [UInt8] = []
        tls.read(into: &plain)
        reader.append(plain)
        readAnswers()
        if let fault = reader.fault {
            world.fail(.broken, "not an answer: \(fault)", visitor: self)
            leave(resets: true)
        }
    }

    // MARK: Sending

    private func send(_ now: UInt64) {
        tls.takeOutput(into: &cipher)
        while cipherStart < cipher.count {
            let most = min(cipher.count - cipherStart, manners.writeLimit)
            guard let count = line.send(cipher[cipherStart..<cipherStart + most]) else {
                // What has come before the reset can still be read.
                isSilent = true
                if isDeaf { end(isReset: true) }
                return
            }
            if count == 0 { return }
            lastProgress = now
            sentCount += count
            cipherStart += count
            if manners.writeGap > 0 {
                nextWrite = now + manners.writeGap
                break
            }
        }
        if cipherStart == cipher.count {
            cipher.removeAll(keepingCapacity: true)
            cipherStart = 0
        }
    }

    /// As much as the socket takes, whatever the manners.
    func sendAtOnce() {
        tls.takeOutput(into: &cipher)
        while cipherStart < cipher.count, let count = line.send(cipher[cipherStart...]), count > 0 {
            cipherStart += count
        }
    }

    /// Writes what can be written of requests, and begins new ones.
    private func advance(_ now: UInt64) {
        guard phase == .talking, !isSilent else { return }
        while cipher.count - cipherStart < 65_536 {
            if writing == nil { beginCall(now) }
            guard var part = writing else { break }
            if part.holdsBodyUntil > now, part.offset >= part.text.headCount { break }
            let end = part.holdsBodyUntil > now ? part.text.headCount : part.text.bytes.count
            let count = min(end - part.offset, manners.recordLimit)
            tls.write(part.text.bytes[part.offset..<part.offset + count])
            tls.takeOutput(into: &cipher)
            part.offset += count
            part.call.isWritten = part.offset == part.text.bytes.count
            writing = part.call.isWritten ? nil : part
        }
        if awaiting.isEmpty, writing == nil, callsLeft == 0, cipherStart == cipher.count {
            sayFarewell()
        }
    }

    private func beginCall(_ now: UInt64) {
        guard callsLeft > 0, !isClosing, awaiting.count < manners.depth, now >= nextCall,
            let call = world.makeCall(for: self)
        else {
            if world.isOver { callsLeft = 0 }
            return
        }
        callsLeft -= 1
        if manners.thinking > 0 { nextCall = now + 1 + world.dice.word() % manners.thinking }
        if manners.updatesKeys, world.dice.oneIn(3) { tls.updateKeys() }
        call.isBegun = true
        call.begunAt = now
        call.firstByte = sentCount + cipher.count - cipherStart
        sk_note(line.link, Int32(SK_CALL), Int64(call.id), 0)
        if isDeaf { call.injected.insert(.clientDeaf) }
        awaiting.append(call)
        var part = Writing(call: call, text: world.write(call, for: self))
        if call.isOld {
            // The gateway will close: nothing may follow.
            callsLeft = 0
            isClosing = true
        }
        if call.expectsContinue { part.holdsBodyUntil = now + 1_000_000_000 }
        writing = part
    }

    // MARK: The end

    private func sayFarewell() {
        guard !isClosing else { return }
        isClosing = true
        phase = .leaving
        switch manners.farewell {
        case .polite:
            tls.close()
            sendAtOnce()
            line.finishWriting()
        case .finAlone: line.finishWriting()
        case .reset: leave(resets: true)
        case .stay: break
        }
    }

    /// The connection has ended, from the other side.
    private func end(isReset: Bool) {
        if !isReset, phase == .talking, !tls.hasClosed {
            world.counts.endsWithoutNotify += 1
            if manners.doom == nil, !world.weather.isScarce {
                world.fail(.broken, "FIN without close_notify", visitor: self, awaiting.first)
            }
        }
        // An answer without a length is whole where the other side said goodbye, and only there.
        if !isReset, tls.hasClosed, reader.state == .untilClose, let call = awaiting.first {
            _ = reader.end()
            finish(call)
        }
        if isReset { world.counts.resets += 1 }
        if phase == .handshake { world.wasTurnedAway(self) }
        leave(resets: false)
    }

    /// Closes, and judges what has been left unanswered.
    func leave(resets: Bool) {
        guard phase != .gone else { return }
        phase = .gone
        if let ticket = tls.ticket { world.tickets[address] = ticket }
        let seen = line.seenAtFIN.map { Int($0) } ?? .max
        line.close(resets: resets)
        // A reset for a later call takes with it what the kernel still holds of earlier answers.
        let isFoundered = awaiting.dropFirst().contains { !$0.injected.isEmpty }
        for (index, call) in awaiting.enumerated() {
            if call.firstByte >= seen { call.injected.insert(.late) }
            if index > 0 || isFoundered { call.injected.insert(.behind) }
            call.outcome = .cut(hasBegun: index == 0 && reading.head != nil)
            world.judge(call, self)
        }
        awaiting = []
        writing = nil
        world.hasLeft(self)
    }
}
