package io.holdfast.manager.unit.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.file.UnitSource.State;
import io.holdfast.manager.unit.section.ServiceSection;
import io.holdfast.manager.unit.section.ServiceUnit;
import io.holdfast.manager.unit.section.Unit;
import io.holdfast.manager.unit.value.ExecCommand;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 60, unit = TimeUnit.SECONDS)
class UnitLoaderTest {
    private static final String SERVICE = "[Service]\nExecStart=/bin/true\n";

    @TempDir Path root;
    private Tree tree = new Tree(Path.of("/"));

    @BeforeEach
    void emptyTree() {
        tree = new Tree(root);
    }

    private List<String> relative(List<Path> paths) {
        return paths.stream().map(path -> root.relativize(path).toString()).toList();
    }

    private static List<String> texts(Iterable<UnitName> names) {
        List<String> texts = new java.util.ArrayList<>();
        names.forEach(name -> texts.add(name.text()));
        return texts;
    }

    @Test
    void theFirstFolderWins() {
        tree.write("a/x.service", SERVICE)
                .write("b/x.service", SERVICE)
                .write("b/y.service", SERVICE);
        assertThat(tree.load("x.service").fragment()).contains(root.resolve("a/x.service"));
        assertThat(tree.load("y.service").fragment()).contains(root.resolve("b/y.service"));
        assertThat(tree.load("z.service").state()).isEqualTo(State.NOT_FOUND);
        assertThat(texts(tree.loader().names())).containsExactly("x.service", "y.service");
    }

    @Test
    void emptyFilesAndLinksToNullMask() {
        tree.write("a/empty.service", "").write("b/empty.service", SERVICE);
        tree.link("a/null.service", "/dev/null").write("b/null.service", SERVICE);
        tree.write("b/empty.service.d/x.conf", SERVICE);
        assertThat(tree.load("empty.service").state()).isEqualTo(State.MASKED);
        assertThat(tree.load("null.service").state()).isEqualTo(State.MASKED);
        assertThat(tree.load("empty.service").files()).isEmpty();
        assertThat(Tree.read(tree.load("null.service")).isRefused()).isTrue();
    }

    @Test
    void anAliasLeadsToTheUnitUnderItsOwnName() {
        tree.write("b/x.service", SERVICE).link("a/y.service", "../b/x.service");
        tree.link("a/z.service", "y.service");
        UnitSource source = tree.load("z.service");
        assertThat(source.name()).isEqualTo(UnitName.of("x.service"));
        assertThat(texts(source.names())).containsExactly("x.service", "y.service", "z.service");
        assertThat(tree.load("x.service").names()).isEqualTo(source.names());
    }

    @Test
    void templatesAndInstancesHaveAliasesToo() {
        tree.write("b/p@.service", SERVICE).write("b/q@i.service", SERVICE);
        tree.link("a/pa@.service", "p@.service").link("a/one@x.service", "p@.service");
        tree.link("a/qa@i.service", "q@i.service");
        assertThat(tree.load("pa@x.service").name()).isEqualTo(UnitName.of("p@x.service"));
        assertThat(texts(tree.load("p@x.service").names()))
                .containsExactly("one@x.service", "p@x.service", "pa@x.service");
        assertThat(texts(tree.load("p@y.service").names()))
                .containsExactly("p@y.service", "pa@y.service");
        assertThat(tree.load("qa@i.service").name()).isEqualTo(UnitName.of("q@i.service"));
        assertThat(tree.load("q@j.service").state()).isEqualTo(State.NOT_FOUND);
    }

    @Test
    void linksThatCanBeNoAliasAreNamedAndPassedOver() {
        tree.write("b/x.service", SERVICE)
                .write("b/p@.service", SERVICE)
                .write("b/q@i.service", SERVICE);
        tree.link("a/x.target", "x.service").link("a/plain.service", "p@.service");
        tree.link("a/plain2.service", "p@i.service").link("a/t@.service", "x.service");
        tree.link("a/i@i.service", "x.service").link("a/q2@j.service", "q@i.service");
        tree.link("a/s.slice", "t.slice").write("b/plain.service", SERVICE);
        UnitLoader loader = tree.loader();
        assertThat(loader.diagnostics())
                .hasSize(7)
                .allMatch(d -> d.message().contains("cannot be an alias"));
        assertThat(loader.load(UnitName.of("plain.service")).fragment())
                .contains(root.resolve("b/plain.service"));
    }

    @Test
    void aLinkOutOfTheFoldersIsAUnitOfItsOwn() {
        tree.write("elsewhere/real.service", SERVICE);
        tree.link("a/linked.service", root.resolve("elsewhere/real.service").toString());
        assertThat(tree.load("linked.service").state()).isEqualTo(State.LOADED);
        assertThat(Tree.read(tree.load("linked.service")).isRefused()).isFalse();
    }

    @Test
    void aLinkThatLeadsNowhereIsNoUnitAndHidesThoseBehindIt() {
        tree.link("a/dangling.service", "/nowhere").write("b/dangling.service", SERVICE);
        UnitSource source = tree.load("dangling.service");
        assertThat(source.state()).isEqualTo(State.NOT_FOUND);
        assertThat(Tree.read(source).diagnostics())
                .singleElement()
                .asString()
                .isEqualTo(
                        root.resolve("a/dangling.service") + ": a link to a file that is missing");
    }

    /** The behaviour of systemd. */
    @Test
    void aDropInThatCannotBeUsedLeavesTheUnitToWhatCameBefore() {
        tree.write("a/x.service", SERVICE);
        tree.write(
                "a/x.service.d/10.conf",
                "[Unit]\nDescription=good\n[Servic\nUser=a\n[Unit]\nDescription=late\n");
        tree.write("a/x.service.d/20.conf", "x".repeat(UnitFile.MAX_SIZE + 1));
        tree.link("a/x.service.d/30.conf", "/nowhere");

        Unit unit = Tree.read(tree.load("x.service"));

        assertThat(unit.isRefused()).isFalse();
        assertThat(unit.unit().description()).isEqualTo("good");
        String folder = root.resolve("a/x.service.d").toString();
        assertThat(unit.diagnostics())
                .extracting(Object::toString)
                .containsExactly(
                        folder
                                + "/10.conf:3: broken section header \"[Servic\"; the rest of this"
                                + " drop-in is ignored",
                        folder + "/20.conf: larger than 4194304 bytes; this drop-in is ignored",
                        folder
                                + "/30.conf: no such file or directory (ENOENT); this drop-in is"
                                + " ignored");
    }

    @Test
    void aliasesInACircleEnd() {
        tree.link("a/x.service", "y.service").link("a/y.service", "x.service");
        UnitSource source = tree.load("x.service");
        assertThat(source.state()).isEqualTo(State.NOT_FOUND);
        assertThat(source.diagnostics()).singleElement().asString().contains("aliases");
    }

    @Test
    void anInstanceLoadsItsOwnFileOrItsTemplate() {
        tree.write("a/t@.service", SERVICE).write("b/t@own.service", SERVICE);
        assertThat(tree.load("t@own.service").fragment()).contains(root.resolve("b/t@own.service"));
        assertThat(tree.load("t@other.service").fragment()).contains(root.resolve("a/t@.service"));
    }

    /** The outcome of systemd 257 for the same files. */
    @Test
    void dropInsComeFromEveryNameSortedByFileName() {
        tree.write("a/foo-bar.service", SERVICE).link("a/al.service", "foo-bar.service");
        tree.write("a/foo-.service.d/10-x.conf", "").write("b/foo-bar.service.d/10-x.conf", "");
        tree.write("a/foo-bar.service.d/20.conf", "").write("b/service.d/05.conf", "");
        tree.write("a/al.service.d/15.conf", "").write("b/foo-.service.d/30.conf", "");
        tree.write("b/foo-bar.service.d/40.conf", "");
        tree.link("a/foo-bar.service.d/40.conf", "/dev/null");
        tree.write("a/foo-bar.service.d/no.txt", "").write("a/foo-bar.service.d/.hid.conf", "");
        assertThat(relative(tree.load("foo-bar.service").dropIns()))
                .containsExactly(
                        "b/service.d/05.conf",
                        "a/foo-.service.d/10-x.conf",
                        "a/al.service.d/15.conf",
                        "a/foo-bar.service.d/20.conf",
                        "b/foo-.service.d/30.conf");
    }

    @Test
    void dropInsOfTemplatesInstancesAndTheirPrefixesApply() {
        tree.write("a/a-b@.service", SERVICE);
        tree.write("a/a-b@i.service.d/1.conf", "").write("a/a-b@.service.d/2.conf", "");
        tree.write("a/a-@i.service.d/3.conf", "").write("a/a-@.service.d/4.conf", "");
        tree.write("a/a-b@j.service.d/5.conf", "").write("a/a-.service.d/6.conf", "");
        tree.write("a/a-b.service.d/7.conf", "");
        tree.write("a/a-b@i.service.d/same.conf", "").write("a/a-b@.service.d/same.conf", "");
        assertThat(relative(tree.load("a-b@i.service").dropIns()))
                .containsExactly(
                        "a/a-b@i.service.d/1.conf",
                        "a/a-b@.service.d/2.conf",
                        "a/a-@i.service.d/3.conf",
                        "a/a-@.service.d/4.conf",
                        "a/a-.service.d/6.conf",
                        "a/a-b@i.service.d/same.conf");
    }

    @Test
    void dropInsResetListsAndReplaceScalars() {
        tree.write("b/x.service", SERVICE + "Restart=always\nEnvironment=A=1\n");
        tree.write(
                "a/x.service.d/o.conf",
                "[Service]\nExecStart=\nExecStart=/bin/false\nRestart=no\nEnvironment=B=2\n");
        ServiceUnit unit = (ServiceUnit) Tree.read(tree.load("x.service"));
        assertThat(unit.service().commands().start())
                .extracting(ExecCommand::executable)
                .containsExactly("/bin/false");
        assertThat(unit.service().restart().when()).isEqualTo(ServiceSection.Restart.NO);
        assertThat(unit.exec().environment().assignments()).containsOnlyKeys("A", "B");
        assertThat(unit.service().commands().start().getFirst().place().toString())
                .endsWith("a/x.service.d/o.conf:3");
    }

    /** The outcome of systemd 257 for the same files. */
    @Test
    void linksInFoldersAddDependencies() {
        tree.write("a/foo-bar.service", SERVICE).link("a/al.service", "foo-bar.service");
        tree.link("a/foo-bar.service.wants/p@.service", "../p@.service");
        tree.link("b/foo-bar.service.wants/zz.service", "x");
        tree.link("a/foo-bar.service.wants/nul.service", "/dev/null");
        tree.link("a/foo-bar.service.wants/bad", "../bad");
        tree.link("b/al.service.requires/ok2.service", "../ok2.service");
        tree.link("b/foo-bar.service.upholds/up.service", "../up.service");
        UnitSource source = tree.load("foo-bar.service");
        Dependencies dependencies = Tree.read(source).unit().dependencies();
        assertThat(texts(dependencies.of(Dependency.WANTS)))
                .containsExactly("p@foo-bar.service", "zz.service");
        assertThat(texts(dependencies.of(Dependency.REQUIRES))).containsExactly("ok2.service");
        assertThat(texts(dependencies.of(Dependency.UPHOLDS))).containsExactly("up.service");
        assertThat(source.diagnostics())
                .singleElement()
                .asString()
                .contains("bad: not the name of a unit");
    }

    @Test
    void dropInsAreLimited() {
        tree.write("a/x.service", SERVICE);
        for (int i = 0; i <= UnitLoader.MAX_DROP_INS; i++) {
            tree.write(String.format("a/x.service.d/%04d.conf", i), "[Unit]\n");
        }
        UnitSource source = tree.load("x.service");
        assertThat(source.dropIns()).hasSize(UnitLoader.MAX_DROP_INS);
        assertThat(source.diagnostics()).singleElement().asString().contains("0512.conf");
    }

    @Test
    void aBrokenDropInIsToldWithItsOwnPlace() {
        tree.write("a/x.service", SERVICE).write("b/x.service.d/bad.conf", "[Service]\noops\n");
        assertThat(tree.load("x.service").diagnostics())
                .singleElement()
                .asString()
                .endsWith("b/x.service.d/bad.conf:2: no '=' in \"oops\"; the line is ignored");
    }

    @Test
    void theSystemsFoldersAreThoseOfSystemd() {
        LoadPath path = LoadPath.system(Map.of());
        assertThat(path.folders().getFirst()).isEqualTo(Path.of("/etc/systemd/system.control"));
        assertThat(path.folders())
                .containsSubsequence(
                        Path.of("/run/systemd/transient"),
                        Path.of("/etc/systemd/system"),
                        Path.of("/run/systemd/system"),
                        Path.of("/usr/local/lib/systemd/system"),
                        Path.of("/usr/lib/systemd/system"),
                        Path.of("/run/systemd/generator.late"));
    }

    @Test
    void theVariableReplacesTheFoldersOrStandsBeforeThem() {
        assertThat(LoadPath.system(Map.of(LoadPath.VARIABLE, "/x:/y/../z")).folders())
                .containsExactly(Path.of("/x"), Path.of("/z"));
        List<Path> before = LoadPath.system(Map.of(LoadPath.VARIABLE, "/x:")).folders();
        assertThat(before.getFirst()).isEqualTo(Path.of("/x"));
        assertThat(before).contains(Path.of("/usr/lib/systemd/system"));
        assertThat(LoadPath.system(Map.of()).withFirst(List.of(Path.of("/u"))).folders().getFirst())
                .isEqualTo(Path.of("/u"));
    }

    @Test
    void aUsersFoldersFollowXdg() {
        List<Path> folders =
                LoadPath.user(Map.of("HOME", "/home/u", "XDG_RUNTIME_DIR", "/run/user/7"))
                        .folders();
        assertThat(folders)
                .containsSubsequence(
                        Path.of("/home/u/.config/systemd/user.control"),
                        Path.of("/run/user/7/systemd/transient"),
                        Path.of("/home/u/.config/systemd/user"),
                        Path.of("/etc/systemd/user"),
                        Path.of("/run/user/7/systemd/user"),
                        Path.of("/home/u/.local/share/systemd/user"),
                        Path.of("/usr/lib/systemd/user"));
    }

    @Test
    void anInstanceThatIsALinkToItsTemplateIsThatInstance() {
        tree.write("a/t@.service", SERVICE).link("a/t@alias.service", "t@.service");
        UnitSource source = tree.load("t@alias.service");
        assertThat(source.state()).isEqualTo(State.LOADED);
        assertThat(source.name()).isEqualTo(UnitName.of("t@alias.service"));
        assertThat(source.fragment()).contains(root.resolve("a/t@.service"));
        assertThat(source.diagnostics()).isEmpty();
    }
}
