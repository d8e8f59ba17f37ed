package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.directive.DirectiveTable;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.section.PathUnit.Kind;
import io.holdfast.manager.unit.section.PathUnit.Watched;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PathUnitTest {
    private static PathUnit path(String lines) {
        UnitSource source =
                UnitSource.inMemory(
                        UnitName.of("x.path"), UnitFile.parse("test", "[Path]\n" + lines));
        return (PathUnit) Tree.read(source);
    }

    @Test
    void aPathIsReadWhole() {
        PathUnit unit =
                path(
                        """
                        PathExists=/gone
                        PathExists=
                        PathExists=/a/%p
                        PathExistsGlob=/b*
                        PathChanged=/c
                        PathModified=/d
                        DirectoryNotEmpty=/e
                        MakeDirectory=yes
                        DirectoryMode=0700
                        TriggerLimitIntervalSec=3
                        TriggerLimitBurst=4
                        Unit=y.target
                        """);
        assertThat(Tree.messages(unit)).isEmpty();
        assertThat(unit.path().watched())
                .containsExactly(
                        new Watched(Kind.EXISTS, "/a/x"),
                        new Watched(Kind.EXISTS_GLOB, "/b*"),
                        new Watched(Kind.CHANGED, "/c"),
                        new Watched(Kind.MODIFIED, "/d"),
                        new Watched(Kind.NOT_EMPTY, "/e"));
        assertThat(unit.path().directoryMode()).isEqualTo(0700);
        assertThat(unit.path().triggerLimit().burst()).isEqualTo(4);
        assertThat(unit.triggers()).containsExactly(UnitName.of("y.target"));
    }

    @Test
    void everyDirectiveIsApplied() {
        assertThat(UnitReader.directives(UnitType.PATH, "Path", UnitReader.Support.APPLIED))
                .isEqualTo(DirectiveTable.of("Path"));
    }

    @Test
    void aPathThatWaitsForNothingIsRefused() {
        assertThat(path("MakeDirectory=yes\n").isRefused()).isTrue();
        assertThat(Tree.messages(path("PathExists=relative\nUnit=x.path\n")))
                .satisfiesExactly(
                        one -> assertThat(one).contains("test:2: PathExists=: "),
                        one -> assertThat(one).contains("a path cannot start a path"),
                        one -> assertThat(one).contains("the path has neither PathExists="));
    }

    @Test
    void aPathIsOrderedAsInSystemd() {
        assertThat(
                        ImpliedDependencies.of(path("PathExists=/x"), ManagerScope.system(Map.of()))
                                .of(Dependency.BEFORE))
                .extracting(UnitName::text)
                .containsExactlyInAnyOrder("x.service", "paths.target", "shutdown.target");
    }
}
