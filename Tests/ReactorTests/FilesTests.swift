// SPDX-License-Identifier: Apache-2.0

import Bytes
import Glibc
import Reactor
import Testing

@Suite("Files")
struct FilesTests {
    private func fault<Result>(
        _ body: () throws(SystemError) -> Result
    ) -> SystemError? {
        do throws(SystemError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func aReplacedFileHasTheNewContentAndMode() throws {
        let folder = try Folder()
        let path = folder.path + "/secret"
        try Files.replace(path, with: Array("one".utf8), mode: 0o644)
        #expect(permissions(path) == 0o644)
        try Files.replace(path, with: Array("twenty".utf8), mode: 0o600)
        let content = try Files.read(path, limit: 100)
        #expect(content.bytes == Array("twenty".utf8))
        #expect(content.mode == 0o600)
        #expect(!Files.exists(path + ".new"))
    }

    @Test func aFileMayBeSyncedLater() throws {
        let folder = try Folder()
        let path = folder.path + "/late"
        let bytes = Array("late".utf8)
        try Files.replace(path, with: bytes.span, mode: 0o600, isSynced: false)
        #expect(try Files.read(path, limit: 10).bytes == bytes)
        try Files.sync(path)
        #expect(throws: SystemError.self) { try Files.sync(folder.path + "/missing") }
    }

    @Test func whoHasTheOldFileOpenKeepsIt() throws {
        let folder = try Folder()
        let path = folder.path + "/state"
        try Files.replace(path, with: Array("old".utf8), mode: 0o600)
        let twin = path + ".twin"
        #expect(unsafe link(path, twin) == 0)
        try Files.replace(path, with: Array("new".utf8), mode: 0o600)
        #expect(try Files.read(twin, limit: 10).bytes == Array("old".utf8))
        #expect(try Files.read(path, limit: 10).bytes == Array("new".utf8))
    }

    @Test func whatAnInterruptedReplacementLeftIsOverwritten() throws {
        let folder = try Folder()
        let path = folder.path + "/state"
        try Files.replace(path + ".new", with: Array("half".utf8), mode: 0o666)
        try Files.replace(path, with: Array("whole".utf8), mode: 0o600)
        #expect(try Files.read(path, limit: 10).bytes == Array("whole".utf8))
        #expect(permissions(path) == 0o600)
    }

    @Test func aLinkInTheWayIsNotFollowed() throws {
        let folder = try Folder()
        let victim = folder.path + "/victim"
        try Files.replace(victim, with: Array("safe".utf8), mode: 0o600)
        #expect(unsafe symlink(victim, folder.path + "/state.new") == 0)
        try Files.replace(folder.path + "/state", with: Array("x".utf8), mode: 0o600)
        #expect(try Files.read(victim, limit: 10).bytes == Array("safe".utf8))
    }

    @Test func aFailedReplacementLeavesTheOldFile() throws {
        let folder = try Folder()
        try Files.makeFolder(folder.path + "/taken", mode: 0o700)
        let blocked = fault { () throws(SystemError) in
            try Files.replace(folder.path + "/taken", with: [1], mode: 0o600)
        }
        #expect(blocked?.call == "rename")
        #expect(!Files.exists(folder.path + "/taken.new"))
        let missing = fault { () throws(SystemError) in
            try Files.replace(folder.path + "/no/file", with: [1], mode: 0o600)
        }
        #expect(missing?.number == ENOENT)
    }

    @Test(arguments: [0, 1, 65_535, 65_536, 65_537, 200_000])
    func readsUpToItsLimit(size: Int) throws {
        let folder = try Folder()
        let path = folder.path + "/data"
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Files.replace(path, with: bytes, mode: 0o600)
        #expect(try Files.read(path, limit: size).bytes == bytes)
        #expect(try Files.read(path, limit: size + 1).bytes == bytes)
        guard size > 0 else { return }
        let beyond = fault { () throws(SystemError) in try Files.read(path, limit: size - 1) }
        #expect(beyond?.number == EFBIG)
    }

    @Test func readsWhatHasNoSizeOfItsOwn() throws {
        #expect(try Files.read("/proc/self/stat", limit: 10_000).bytes.isEmpty == false)
        let endless = fault { () throws(SystemError) in try Files.read("/dev/zero", limit: 5000) }
        #expect(endless?.number == EFBIG)
    }

    @Test func faultsHaveTheirNumbers() throws {
        let folder = try Folder()
        for (path, number) in [(folder.path + "/no", ENOENT), (folder.path, EISDIR)] {
            let found = fault { () throws(SystemError) in try Files.read(path, limit: 1) }
            #expect(found?.number == number)
        }
    }

    @Test func aMappingOutlivesItsProcess() throws {
        let folder = try Folder()
        let path = folder.path + "/steps"
        do {
            let words = try Files.mapShared(path, size: 4096)
            #expect(words.count == 512)
            #expect(words.load(0) == 0)
            words.store(0, 0x0102_0304_0506_0708)
            words.store(511, .max)
            let other = try Files.mapShared(path, size: 4096)
            #expect(other.load(511) == .max)
        }
        #expect(permissions(path) == 0o600)
        let bytes = try Files.read(path, limit: 4096).bytes
        #expect(bytes.count == 4096)
        #expect(Array(bytes[..<8]) == [8, 7, 6, 5, 4, 3, 2, 1])
        let words = try Files.mapShared(path, size: 8192)
        #expect(words.load(0) == 0x0102_0304_0506_0708)
        #expect(words.load(511) == .max)
        #expect(words.load(1023) == 0)
    }

    @Test func aMappingThatCannotBeIsRefused() throws {
        let folder = try Folder()
        let found = fault { () throws(SystemError) in
            try Files.mapShared(folder.path, size: 4096)
        }
        #expect(found?.number == EISDIR)
    }

    @Test func foldersAreMadeWithTheirParents() throws {
        let folder = try Folder()
        let path = folder.path + "/a"
        try Files.makeFolder(path + "/b/c", mode: 0o700)
        try Files.makeFolder(path + "/b/c", mode: 0o700)
        #expect(permissions(path + "/b/c") == 0o700)
        #expect(permissions(path) == 0o700)
        #expect(Files.isWritableFolder(path + "/b"))
        Files.removeFolder(path + "/b/c")
        Files.removeFolder(path + "/b")
        #expect(!Files.isWritableFolder(path + "/b"))
    }

    @Test func aFileIsNoFolder() throws {
        let folder = try Folder()
        let path = folder.path + "/file"
        try Files.replace(path, with: [], mode: 0o755)
        let found = fault { () throws(SystemError) in try Files.makeFolder(path, mode: 0o700) }
        #expect(found?.number == ENOTDIR)
        #expect(!Files.isWritableFolder(path))
    }

    @Test func temporaryFoldersAreOursAlone() throws {
        let (first, second) = (try Folder(), try Folder())
        #expect(first.path != second.path)
        #expect(permissions(first.path) == 0o700)
    }

    @Test func everythingIsWrittenThroughAPipeThatIsSlow() throws {
        let (left, right) = try socketPair()
        let far = Socket(Descriptor(owning: right))
        let block = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0) }
        let writer = try Thread(name: "writer") {
            _ = Files.writeAll(left, block.span)
            _ = close(left)
        }
        let received = far.receiveAll()
        writer.join()
        #expect(received.bytes == block)
        #expect(received.last == .end)
    }

    @Test func writingToWhatIsClosedEnds() {
        #expect(Files.writeAll(-1, [1].span) == false)
    }
}
