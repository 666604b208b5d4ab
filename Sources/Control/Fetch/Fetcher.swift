// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import TLS

/// Fetches documents on an event loop, several at once, over TCP or a Unix socket, in plain or
/// over TLS.
///
/// ```
/// each turn of the loop: watch(on: loop), wait, handle(event)…, expire(now), deliver()
/// ```
///
/// A fetch may be started and cancelled at any point of a turn; completions are called by
/// ``deliver()`` alone.
package final class Fetcher {
    package typealias Completion = (Result<FetchResponse, FetchFault>) -> Void

    /// Names one fetch; no two have the same.
    package struct ID: Hashable {
        fileprivate let number: UInt64
    }

    private struct Finished {
        let id: ID
        let host: String
        let result: Result<FetchResponse, FetchFault>
        let completion: Completion
    }

    /// Called with what a server's clock has said, in seconds since the epoch.
    package var onDate: (_ host: String, _ date: UInt64) -> Void = { _, _ in }

    package static let fetchesMax = 96
    /// A TLS record's content is read in parts, so no slab has to hold a whole one.
    private static let slabBytes = 16 * 1024

    private var fetches: SlotTable<Fetch>
    /// Three for whichever fetch is driven.
    private var pool = SlabPool(bound: 3, slabCapacity: slabBytes)
    /// Begun since the last turn.
    private var unwatched: [SlotToken] = []
    private var finished: [Finished] = []
    private var lastNumber: UInt64 = 0

    /// - Parameter kind: names the fetches' events on the loop.
    package init(kind: UInt8) {
        fetches = SlotTable(kind: kind, capacity: Self.fetchesMax)
    }

    /// How many have neither ended nor been cancelled.
    package var count: Int { fetches.count }

    /// Begins a fetch.
    ///
    /// - Parameters:
    ///   - address: `nil` where the name is not resolved: a fault like any other.
    ///   - tls: for the server's name; `nil` for plain HTTP.
    ///   - now: monotonic milliseconds.
    /// - Returns: `nil`, with no completion to come, where as many run as there may.
    package func start(
        _ request: FetchRequest, from address: SocketAddress?, tls: TLSClientContext?,
        now: UInt64, completion: @escaping Completion
    ) -> ID? {
        guard fetches.count < Self.fetchesMax else { return nil }
        lastNumber += 1
        let id = ID(number: lastNumber)
        do throws(FetchFault) {
            guard let address else { throw .connect("name is not resolved") }
            let fetch = try Fetch.begin(
                request, to: address, tls: tls, id: id, now: now, completion: completion)
            guard let index = fetches.insert(fetch) else { throw .busy }
            unwatched.append(fetches.token(at: index))
        } catch {
            finished.append(
                Finished(
                    id: id, host: request.host, result: .failure(error), completion: completion))
        }
        return id
    }

    /// Lets the loop tell of what was begun: to be called before each wait.
    package func watch(on loop: inout EventLoop) {
        for token in unwatched {
            guard let index = fetches.resolve(token) else { continue }
            do throws(SystemError) {
                try loop.add(
                    fetches[index].socket.descriptor, fetches[index].interest, token: token)
            } catch {
                end(index, .failure(.connect(error.reason)))
            }
        }
        unwatched.removeAll()
    }

    /// Forgets a fetch: its connection is closed, and its completion never called.
    package func cancel(_ id: ID) {
        finished.removeAll { $0.id == id }
        for index in 0..<fetches.indexEnd where fetches.isOccupied(index) {
            if fetches[index].id == id { _ = fetches.remove(at: index) }
        }
    }

    /// - Returns: whether the event was a fetch's.
    package func handle(_ event: Event, on loop: inout EventLoop) -> Bool {
        guard event.token.kind == fetches.kind else { return false }
        guard let index = fetches.resolve(event.token) else { return true }
        let before = fetches[index].interest
        do throws(FetchFault) {
            if try fetches[index].advance(event, &pool) {
                end(index, .success(fetches[index].response))
            } else if fetches[index].interest != before {
                try? loop.modify(
                    fetches[index].socket.descriptor, fetches[index].interest, token: event.token)
            }
        } catch {
            end(index, .failure(error))
        }
        return true
    }

    /// Ends what has taken too long.
    package func expire(now: UInt64) {
        for index in 0..<fetches.indexEnd where fetches.isOccupied(index) {
            guard fetches[index].deadline <= now else { continue }
            let time = fetches[index].timeoutMilliseconds
            end(index, .failure(.timedOut(milliseconds: time)))
        }
    }

    private func end(_ index: Int, _ result: Result<FetchResponse, FetchFault>) {
        let fetch = fetches.remove(at: index)
        finished.append(
            Finished(
                id: fetch.id, host: fetch.host, result: result, completion: fetch.completion))
        if fetches.count == 0 { pool.trim(keeping: 0) }
    }

    /// Calls the completions of what has ended; what ends meanwhile comes the next time.
    package func deliver() {
        for _ in 0..<finished.count where !finished.isEmpty {
            let next = finished.removeFirst()
            if case .success(let answer) = next.result, let date = answer.date {
                onDate(next.host, date)
            }
            next.completion(next.result)
        }
    }

    /// When the loop has to take its next turn at the latest, in monotonic milliseconds; `nil`
    /// where only events matter.
    package var wakeAt: UInt64? {
        if !finished.isEmpty { return 0 }
        var first: UInt64?
        for index in 0..<fetches.indexEnd where fetches.isOccupied(index) {
            first = min(first ?? .max, fetches[index].deadline)
        }
        return first
    }
}
