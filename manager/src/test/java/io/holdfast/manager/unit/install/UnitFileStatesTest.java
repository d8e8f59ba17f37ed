package io.holdfast.manager.unit.install;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.ManagerScope;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.LoadPath;
import io.holdfast.manager.unit.file.UnitLoader;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.UnitReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whether units are enabled, according to the links in their folders. */
class UnitFileStatesTest {
    private static final String INSTALL = "[Install]\nWantedBy=x.target\n";

    @TempDir private Path folder;

    private void file(String name, String content) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        Files.writeString(file, content);
    }

    private void link(String name, String target) throws IOException {
        Path link = folder.resolve(name);
        Files.createDirectories(link.getParent());
        Files.createSymbolicLink(link, Path.of(target));
    }

    private String state(String name) {
        LoadPath path = new LoadPath(List.of(folder));
        UnitReader reader = new UnitReader(Host.read(), ManagerScope.system(Map.of()));
        UnitName unit = UnitName.of(name);
        return UnitFileStates.read(InstallFolders.of(ManagerScope.system(Map.of()), path))
                .of(unit, reader.read(UnitLoader.scan(path).load(unit)))
                .word();
    }

    @Test
    void linksInFoldersOfOthersEnable() throws IOException {
        file("a.service", INSTALL);
        assertThat(state("a.service")).isEqualTo("disabled");
        link("x.target.wants/a.service", "../a.service");
        assertThat(state("a.service")).isEqualTo("enabled");
    }

    @Test
    void aliasesEnableAndAreSaidToBeSo() throws IOException {
        file("b.service", "[Install]\nAlias=c.service\n");
        assertThat(state("b.service")).isEqualTo("disabled");
        link("c.service", "b.service");
        assertThat(state("b.service")).isEqualTo("enabled");
        assertThat(state("c.service")).isEqualTo("alias");
    }

    @Test
    void whatCannotBeEnabledIsStaticOrIndirect() throws IOException {
        file("static.service", "[Service]\nExecStart=/bin/true\n");
        file("also.service", "[Install]\nAlso=static.service\n");
        assertThat(state("static.service")).isEqualTo("static");
        assertThat(state("also.service")).isEqualTo("indirect");
    }

    @Test
    void aTemplateWithAnEnabledInstanceIsIndirect() throws IOException {
        file("t@.service", "[Service]\nExecStart=/bin/true\n");
        assertThat(state("t@.service")).isEqualTo("static");
        link("t@alias.service", "t@.service");
        assertThat(state("t@.service")).isEqualTo("indirect");
        assertThat(state("t@alias.service")).isEqualTo("enabled");
    }

    @Test
    void aTemplateIsEnabledByTheLinkOfItsDefaultInstance() throws IOException {
        file("t@.service", INSTALL + "DefaultInstance=one\n");
        assertThat(state("t@.service")).isEqualTo("disabled");
        link("x.target.wants/t@two.service", "../t@.service");
        assertThat(state("t@.service")).isEqualTo("indirect");
        link("x.target.wants/t@one.service", "../t@.service");
        assertThat(state("t@.service")).isEqualTo("enabled");
    }

    @Test
    void masksAndMissingFilesAreSeen() throws IOException {
        link("m.service", "/dev/null");
        assertThat(state("m.service")).isEqualTo("masked");
        assertThat(state("none.service")).isEqualTo("not-found");
    }

    @Test
    void anInstanceIsEnabledByItsOwnLinkOrThatOfItsTemplate() throws IOException {
        file("t@.service", INSTALL);
        assertThat(state("t@one.service")).isEqualTo("disabled");
        link("x.target.wants/t@one.service", "../t@.service");
        assertThat(state("t@one.service")).isEqualTo("enabled");
        assertThat(state("t@two.service")).isEqualTo("disabled");
    }
}
