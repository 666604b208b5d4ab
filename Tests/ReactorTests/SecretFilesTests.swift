// SPDX-License-Identifier: Apache-2.0

import Bytes
import Reactor
import Testing

struct SecretFilesTests {
    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = try Files.makeTemporaryFolder(prefix: "agentport-test")
        defer { Files.removeFolder(folder) }
        try body(folder)
    }

    @Test(arguments: [0, 1, 4096, 4097, 4098, 9000])
    func theWholeContentIsLent(count: Int) throws {
        try withFolder { folder in
            let path = folder + "/secret"
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0) }
            try Files.create(path, with: bytes.span, mode: 0o600)
            defer { Files.remove(path) }
            let read = try Files.withSecret(path, limit: 9000) { content in
                content.indices.map { content[$0] }
            }
            #expect(read == bytes)
        }
    }

    @Test func oneByteBeyondTheLimitIsRefused() throws {
        try withFolder { folder in
            let path = folder + "/secret"
            try Files.create(path, with: [1, 2, 3].span, mode: 0o600)
            defer { Files.remove(path) }
            let count = try Files.withSecret(path, limit: 3) { $0.count }
            #expect(count == 3)
            let error = #expect(throws: SystemError.self) {
                try Files.withSecret(path, limit: 2) { $0.count }
            }
            #expect(error?.kind == .tooLarge)
        }
    }

    @Test func aFileThatExistsIsNotReplaced() throws {
        try withFolder { folder in
            let path = folder + "/secret"
            try Files.create(path, with: [1].span, mode: 0o600)
            defer { Files.remove(path) }
            let error = #expect(throws: SystemError.self) {
                try Files.create(path, with: [2].span, mode: 0o600)
            }
            #expect(error?.kind == .exists)
            let kept = try Files.read(path, limit: 9)
            #expect(kept.bytes == [1])
            let status = try Files.status(of: path)
            #expect(status.mode == 0o600 && status.size == 1 && status.isRegular)
        }
    }

    @Test func whatIsNoFileIsToldApart() throws {
        try withFolder { folder in
            let status = try Files.status(of: folder)
            #expect(!status.isRegular)
            let missing = #expect(throws: SystemError.self) {
                try Files.status(of: folder + "/nowhere")
            }
            #expect(missing?.kind == .notFound)
            let lent = #expect(throws: SystemError.self) {
                try Files.withSecret(folder, limit: 9) { $0.count }
            }
            #expect(lent?.kind == .isFolder)
        }
    }

    @Test func aProgramReadsItsInputAndTellsItsStatus() {
        let input = Array("seed\n".utf8)
        let script = "read word; test \"$word\" = seed && exit 7"
        #expect(Subprocess.run(["sh", "-c", script], input: input.span) == 7)
        #expect(Subprocess.run(["sh", "-c", "kill -9 $$"], input: input.span) == nil)
        #expect(Subprocess.run(["agentport-no-such-program"], input: input.span) == nil)
        let large = [UInt8](repeating: 0, count: Subprocess.inputBytesMax + 1)
        #expect(Subprocess.run(["cat"], input: large.span) == nil)
    }
}
