package io.holdfast.manager.catalog;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.SameOnEveryKernel;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.section.UnitReader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tests that a unit is read again exactly if its files have changed. */
@SameOnEveryKernel
class KeptUnitsTest {
    private static final UnitName NAME = UnitName.of("a.service");

    @TempDir private Path folder;

    private final KeptUnits kept = new KeptUnits(Duration.ZERO);
    private UnitLoader loader;

    @BeforeEach
    void write() {
        Tree tree =
                new Tree(folder)
                        .write("a/a.service", "[Unit]\nDescription=one\n[Service]\nExecStart=/x\n")
                        .write("a/a.service.d/b.conf", "[Service]\nUser=one\n")
                        .write("a/a.service.wants/b.service", "")
                        .write("a/b.service", "[Service]\nExecStart=/x\n");
        loader = tree.loader();
        long before;
        do { // until the clock of files has moved on
            before = kept.read();
            Unit _ = read();
        } while (kept.read() != before);
    }

    private Unit read() {
        UnitReader reader = new UnitReader(Tree.HOST, Tree.SYSTEM);
        return kept.unit(NAME, loader, name -> reader.read(loader.load(name)), _ -> true);
    }

    @Test
    void anUnchangedUnitIsNotReadAgain() {
        Unit first = read();
        long before = kept.read();
        assertThat(read()).isSameAs(first);
        assertThat(kept.read()).isEqualTo(before);
    }

    @Test
    void aUnitThatIsReadAgainUnchangedStaysTheSameObject() {
        Unit first = read();
        long before = kept.read();
        kept.readAgain();
        assertThat(read()).isSameAs(first);
        assertThat(kept.read()).as("its files are read").isEqualTo(before + 1);
    }

    @Test
    void aChangedFileIsReadAgain() throws Exception {
        Files.writeString(folder.resolve("a/a.service"), "[Unit]\nDescription=another\n");
        assertThat(read().unit().description()).isEqualTo("another");
    }

    @Test
    void aFileThatReplacesItWithAnOldTimeIsReadAgain() throws Exception {
        Path file = folder.resolve("a/a.service");
        Path other = Files.writeString(folder.resolve("new"), "[Unit]\nDescription=two\n");
        Files.setLastModifiedTime(other, Files.getLastModifiedTime(file));
        Files.move(other, file, StandardCopyOption.REPLACE_EXISTING);
        assertThat(read().unit().description()).isEqualTo("two");
    }

    @Test
    void aChangedOrNewDropInIsReadAgain() throws Exception {
        Files.writeString(folder.resolve("a/a.service.d/b.conf"), "[Unit]\nDescription=three\n");
        assertThat(read().unit().description()).isEqualTo("three");
        Files.writeString(folder.resolve("a/a.service.d/c.conf"), "[Unit]\nDescription=four\n");
        assertThat(read().unit().description()).isEqualTo("four");
        Files.delete(folder.resolve("a/a.service.d/c.conf"));
        assertThat(read().unit().description()).isEqualTo("three");
    }

    @Test
    void aNewLinkInItsFolderIsReadAgain() throws Exception {
        Files.createFile(folder.resolve("a/c.service"));
        Files.createSymbolicLink(
                folder.resolve("a/a.service.wants/c.service"), Path.of("../b.service"));
        Set<UnitName> wanted = read().unit().dependencies().of(Dependency.WANTS);
        assertThat(wanted).contains(UnitName.of("c.service"));
    }

    @Test
    void aNewScanOfTheFoldersReadsAllAgain() {
        long before = kept.read();
        loader = new Tree(folder).loader();
        Unit _ = read();
        assertThat(kept.read()).isEqualTo(before + 1);
    }
}
