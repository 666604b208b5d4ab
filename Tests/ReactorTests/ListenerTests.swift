// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Reactor
import Testing

@Suite("Listeners")
struct ListenerTests {
    @Test func nobodyThereIsAResult() throws {
        let listener = try Listener(anyPort, isShared: false)
        #expect(listener.outcome() == "wouldBlock")
    }

    @Test func anAddressInUseIsRefused() throws {
        let listener = try Listener(anyPort, isShared: false)
        var fault: SystemError?
        do throws(SystemError) {
            _ = try Listener(listener.address, isShared: false)
        } catch {
            fault = error
        }
        #expect(fault == SystemError("bind", number: EADDRINUSE))
    }

    @Test func sharedListenersTakeOnePortTogether() throws {
        let first = try Listener(anyPort, isShared: true)
        let second = try Listener(first.address, isShared: true)
        #expect(first.address == second.address)
        var clients = SlotTable<Socket>(kind: 0, capacity: 100)
        for _ in 0..<100 { _ = clients.insert(try Socket.connect(to: first.address)) }
        var counts = [0, 0]
        for _ in 0..<200 {
            if first.outcome() == "connection" { counts[0] += 1 }
            if second.outcome() == "connection" { counts[1] += 1 }
            if counts[0] + counts[1] == 100 { break }
            Process.pause(milliseconds: 1)
        }
        #expect(counts[0] + counts[1] == 100)
        // Each gets its share; none of it at all has a chance of one in 2^100.
        #expect(counts[0] > 0 && counts[1] > 0)
    }

    @Test func aConnectionThatIsGoneBeforeItIsAcceptedDoesNoHarm() throws {
        let listener = try Listener(anyPort, isShared: false)
        do {
            let client = try Socket.connect(to: listener.address)
            #expect(readable(listener.descriptor, withinMilliseconds: 2000) == true)
            client.resetOnClose()
        }
        let next = try Socket.connect(to: listener.address)
        #expect(next.connectionError == 0)
        // Linux hands the dead one out, others say ECONNABORTED: either way the next one comes.
        var outcomes: [String] = []
        for _ in 0..<2 {
            #expect(readable(listener.descriptor, withinMilliseconds: 2000) == true)
            outcomes.append(listener.outcome())
        }
        #expect(["connection", "lost"].contains(outcomes[0]))
        #expect(outcomes[1] == "connection")
        #expect(listener.outcome() == "wouldBlock")
    }

    @Test func aUnixSocketListens() throws {
        let folder = try Folder()
        let address = SocketAddress.unix(path: folder.path + "/a.sock")
        do {
            let link = try Link(address)
            #expect(link.client.send(text: "over a path") == .bytes(11))
            #expect(link.server.receiveAll(11).bytes == Array("over a path".utf8))
        }
        // What an earlier process left behind is in nobody's way.
        #expect(Files.exists(folder.path + "/a.sock"))
        let again = try Link(address)
        #expect(again.client.isQuiet == true)
    }

    /// In a process of its own, since the limit is the whole process's.
    @Test func withoutDescriptorsItIsExhaustedAndRecovers() async {
        await #expect(processExitsWith: .success) {
            let listener = try Listener(anyPort, isShared: false)
            let client = try Socket.connect(to: listener.address)
            _ = readable(listener.descriptor, withinMilliseconds: 2000)
            var limit = rlimit()
            unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            limit.rlim_cur = 0
            unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
            let exhausted = listener.outcome()
            let stillExhausted = listener.outcome()
            _ = Process.raiseDescriptorLimit()
            let recovered = listener.outcome()
            let isAlive = client.connectionError == 0
            let isRight =
                exhausted == "exhausted \(EMFILE)" && stillExhausted == exhausted
                && recovered == "connection" && isAlive
            Process.exitNow(isRight ? 0 : 1)
        }
    }
}
