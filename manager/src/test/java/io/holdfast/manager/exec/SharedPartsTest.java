package io.holdfast.manager.exec;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Fd;
import io.holdfast.core.file.folder.ScratchFolder;
import io.holdfast.core.process.Namespace;
import io.holdfast.core.sys.Fcntl;
import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.unit.UnitName;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests of the parts that units share, after the manager that made them was killed. */
class SharedPartsTest {
    private static final UnitName MAKER = UnitName.of("maker.service");
    private static final UnitName FIRST = UnitName.of("first.service");
    private static final UnitName SECOND = UnitName.of("second.service");
    private static final String NAME = PrivateFolder.name(MAKER, "0".repeat(32), Optional.empty());

    @TempDir private Path base;
    private Path left;
    private final SharedParts.Registry shared = new SharedParts.Registry();

    @BeforeEach
    void aKilledManagerHasLeftAFolder() throws Exception {
        try (ScratchFolder folder = ScratchFolder.make(base, NAME)) {
            left = Files.createDirectory(folder.path().resolve("tmp"));
        }
    }

    private SharedParts.Member rejoin(UnitName unit, Optional<Namespace> network) {
        return rejoin(unit, List.of(), network);
    }

    private SharedParts.Member rejoin(UnitName unit, List<Fd> locks, Optional<Namespace> network) {
        return shared.rejoin(unit, Set.of(MAKER), NAME, locks, network, Optional.empty());
    }

    private String folder(SharedParts.Member member) throws Exception {
        return member.parts().folder(base.toString(), "own-").path();
    }

    @Test
    void aMakerThatStartsAgainJoinsARunThatWasFoundEvenBeforeItsFolderWas() throws Exception {
        SharedParts.Member found = rejoin(FIRST, Optional.empty());
        SharedParts.Member maker = shared.join(MAKER, Set.of());
        assertThat(folder(maker)).isEqualTo(left.toString());
        assertThat(folder(found)).isEqualTo(left.toString());
        maker.close();
        assertThat(left).exists();
        found.close();
        assertThat(base).isEmptyDirectory();
    }

    @Test
    void runsThatHadJoinedTheSameUnitShareItsFolderAfterItHasEnded() throws Exception {
        SharedParts.Member first = rejoin(FIRST, Optional.empty());
        SharedParts.Member second = rejoin(SECOND, Optional.empty());
        assertThat(folder(first)).isEqualTo(left.toString());
        assertThat(folder(second)).isEqualTo(left.toString());
        first.close();
        assertThat(left).exists();
        second.close();
        assertThat(base).isEmptyDirectory();
    }

    @Test
    void aFolderWhoseLockWasKeptIsFoundWithIt() throws Exception {
        Path outer = Objects.requireNonNull(left.getParent());
        try (Fd above = Fcntl.open(base.toString(), Fcntl.O_PATH)) {
            ScratchFolder made = ScratchFolder.dead(above, outer).orElseThrow();
            Fd kept = made.fd().duplicate();
            made.close();
            SharedParts.Member found = rejoin(FIRST, List.of(kept), Optional.empty());
            assertThat(folder(found)).isEqualTo(left.toString());
            assertThat(ScratchFolder.dead(above, outer)).isEmpty();
            found.close();
            assertThat(base).isEmptyDirectory();
        }
    }

    @Test
    void theFolderOfARunThatWasFoundIsKeptUntilThatRunHasEnded() throws Exception {
        String name = Objects.requireNonNull(base.toFile().list())[0];
        assertThat(shared.isKept(name)).isFalse();
        SharedParts.Member found = rejoin(FIRST, Optional.empty());
        assertThat(shared.isKept(name)).isTrue();
        assertThat(shared.isKept("another-" + name)).isFalse();
        found.close();
        assertThat(shared.isKept(name)).isFalse();
    }

    @Test
    @Needs(root = true)
    void aMakerThatStartsAgainJoinsTheNetworkOfARunThatWasFound() throws Exception {
        try (Namespace before = Namespace.make(Namespace.Kind.NET);
                Namespace same =
                        before.fd()
                                .with(number ->
                                        Namespace.open(
                                                "/proc/self/fd/" + number, Namespace.Kind.NET))) {
            SharedParts.Member found = rejoin(FIRST, Optional.of(same));
            SharedParts.Member maker = shared.join(MAKER, Set.of());
            assertThat(maker.parts().network()).isEqualTo(before);
            maker.close();
            found.close();
        }
    }

    @Test
    void aUnitThatIsJoinedKeepsItsOwnFolderIfTheRunThatJoinsItHasAnother() throws Exception {
        UnitName other = UnitName.of("other.service");
        String own = PrivateFolder.name(other, "1".repeat(32), Optional.empty());
        SharedParts.Member found =
                shared.rejoin(
                        FIRST,
                        Set.of(MAKER, other),
                        NAME,
                        List.of(),
                        Optional.empty(),
                        Optional.empty());
        SharedParts.Member apart =
                shared.rejoin(other, Set.of(), own, List.of(), Optional.empty(), Optional.empty());
        assertThat(apart.parts().name()).isEqualTo(own);
        assertThat(found.parts().name()).isEqualTo(NAME);
        apart.close();
        found.close();
    }

    @Test
    @Needs(root = true)
    void aUnitThatIsJoinedKeepsItsOwnNetworkIfTheRunThatJoinsItHasAnother() throws Exception {
        UnitName other = UnitName.of("other.service");
        Namespace network = Namespace.make(Namespace.Kind.NET);
        Namespace own = Namespace.make(Namespace.Kind.NET);
        SharedParts.Member found =
                shared.rejoin(
                        FIRST,
                        Set.of(MAKER, other),
                        "",
                        List.of(),
                        Optional.of(network),
                        Optional.empty());
        SharedParts.Member apart =
                shared.rejoin(other, Set.of(), "", List.of(), Optional.of(own), Optional.empty());
        assertThat(apart.parts().network()).isEqualTo(own);
        assertThat(found.parts().network()).isEqualTo(network);
        apart.close();
        found.close();
    }
}
