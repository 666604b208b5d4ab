// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Reactor
import Synchronization
import Testing

@Suite("Threads, signals and names")
struct ThreadTests {
    @Test func aThreadRunsUnderItsNameAndIsWaitedFor() throws {
        let name = Mutex("")
        let box = Box()
        let thread = try Thread(name: "ap-test") {
            let path = "/proc/thread-self/comm"
            let bytes = (try? Files.read(path, limit: 64).bytes) ?? []
            box.text.withLock { $0 = String(decoding: bytes, as: UTF8.self) }
        }
        thread.join()
        name.withLock { $0 = box.text.withLock { $0 } }
        #expect(name.withLock { $0 } == "ap-test\n")
    }

    private final class Box: Sendable {
        let text = Mutex("")
        let turns = Atomic(0)
    }

    @Test func aWakeupEndsAWait() throws {
        let wakeup = try Wakeup()
        let box = Box()
        let thread = try Thread(name: "loop") {
            guard var loop = try? EventLoop() else { return }
            let token = SlotToken(kind: 1, index: 1, generation: 1)
            try? loop.add(wakeup.descriptor, .readable, token: token)
            while box.text.withLock({ $0.isEmpty }) {
                if loop.wait(milliseconds: 10_000) == 1 { wakeup.acknowledge() }
                box.turns.add(1, ordering: .relaxed)
            }
        }
        let start = Clock.monotonicNanoseconds()
        wakeup.signal()
        while box.turns.load(ordering: .relaxed) == 0 { Process.pause(milliseconds: 1) }
        box.text.withLock { $0 = "end" }
        wakeup.signal()
        thread.join()
        #expect(Clock.monotonicNanoseconds() - start < 5_000_000_000)
    }

    @Test func severalSignalsCountAsOne() throws {
        let wakeup = try Wakeup()
        // Nothing there: neither blocks.
        wakeup.acknowledge()
        for _ in 0..<1000 { wakeup.signal() }
        #expect(readable(wakeup.descriptor, withinMilliseconds: 0) == true)
        wakeup.acknowledge()
        #expect(readable(wakeup.descriptor, withinMilliseconds: 0) == false)
    }

    /// In a process of its own: signals are the whole process's.
    @Test func signalsAreRead() async {
        await #expect(processExitsWith: .success) {
            // Blocked before the thread that they are sent to exists would be better; here each is
            // sent to this very thread.
            let signals = try Signals()
            let me = pthread_self()
            let none = signals.next() == nil
            _ = pthread_kill(me, SIGHUP)
            let first = signals.next()
            _ = pthread_kill(me, SIGTERM)
            let second = signals.next()
            _ = pthread_kill(me, SIGINT)
            let isReadable = readable(signals.descriptor, withinMilliseconds: 1000)
            let third = signals.next()
            // A broken pipe is a result of write, and no signal.
            _ = pthread_kill(me, SIGPIPE)
            let isRight =
                none && first == .hangUp && second == .terminate && isReadable
                && third == .terminate && signals.next() == nil
            Process.exitNow(isRight ? 0 : 1)
        }
    }

    @Test func localNamesResolve() throws {
        let addresses = try Resolver.resolve(host: "localhost", port: 8080)
        #expect(!addresses.isEmpty)
        for address in addresses {
            guard case .ip(let ip, let port) = address else {
                Issue.record("no IP address: \(address)")
                continue
            }
            #expect(ip.isLoopback)
            #expect(port == 8080)
        }
        #expect(Set(addresses).count == addresses.count)
    }

    @Test func literalsNeedNoResolver() throws {
        let addresses = try Resolver.resolve(host: "[::1]", port: 1)
        #expect(addresses.map(\.description) == ["[::1]:1"])
    }

    @Test(arguments: ["", "no such host", "name.invalid", "1.2.3.4.5"])
    func unknownNamesAreFaults(host: String) {
        var reason = ""
        do throws(ResolverFault) {
            _ = try Resolver.resolve(host: host, port: 1)
        } catch {
            reason = error.description
        }
        #expect(!reason.isEmpty)
    }

    @Test func theProcessKnowsItself() {
        #expect(Process.identifier == getpid())
        #expect(Process.coresAllowed >= 1)
        #expect(Process.openDescriptors > 2)
        #expect(Process.residentBytes > 1 << 20)
        #expect(Process.executable.hasPrefix("/"))
        #expect(Process.environment()["PATH"]?.isEmpty == false)
    }

    @Test func clocksGoForward() {
        let start = Instant.read()
        Process.pause(milliseconds: 5)
        let end = Instant.read()
        #expect(end.milliseconds >= start.milliseconds + 4)
        #expect(end.wallSeconds > 1_700_000_000)
        #expect(Clock.processorNanoseconds() > 0)
    }
}
