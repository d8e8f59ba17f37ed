package io.holdfast.bus.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.holdfast.bus.config.PolicyRule.ConnectTest;
import io.holdfast.bus.config.PolicyRule.MessageTest;
import io.holdfast.bus.config.PolicyRule.OwnTest;
import io.holdfast.dbus.wire.MessageType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(120)
class BusConfigTest {
    private static final String DOCTYPE =
            """
            <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
             "http://nowhere.invalid/busconfig.dtd">
            """;

    @TempDir private Path folder;

    @Test
    void everyElementIsRead() throws Exception {
        BusConfig config =
                load(
                        """
                        <type>session</type><type>other</type>
                        <listen>unix:path=/a</listen><listen> unix:path=/b </listen>
                        <auth>EXTERNAL</auth><auth>ANONYMOUS</auth>
                        <user>messagebus</user><fork/><pidfile>/run/p</pidfile><syslog/>
                        <keep_umask/><allow_anonymous/><servicehelper>/h</servicehelper>
                        <servicedir>rel</servicedir><servicedir>/abs</servicedir>
                        <limit name="max_message_size">7</limit>
                        <limit name="reply_timeout">8</limit>
                        <selinux><associate own="a.b" context="c"/></selinux>
                        <apparmor mode="enabled"/><apparmor/>
                        """);

        assertThat(config.type()).isEqualTo("other");
        assertThat(config.listen()).containsExactly("unix:path=/a", "unix:path=/b");
        assertThat(config.auth()).containsExactly("EXTERNAL", "ANONYMOUS");
        assertThat(config.user()).isEqualTo("messagebus");
        assertThat(config.pidFile()).isEqualTo("/run/p");
        assertThat(config.serviceHelper()).isEqualTo("/h");
        assertThat(config.fork() && config.syslog()).isTrue();
        assertThat(config.keepUmask() && config.allowAnonymous()).isTrue();
        assertThat(config.serviceFolders())
                .containsExactly(
                        new ServiceFolder(folder.resolve("rel"), false),
                        new ServiceFolder(Path.of("/abs"), false));
        assertThat(config.limits())
                .isEqualTo(
                        Limits.BUILT_IN
                                .with(BusLimit.MAX_MESSAGE_SIZE, 7)
                                .with(BusLimit.REPLY_TIMEOUT, 8));
    }

    @Test
    void everyRuleIsRead() throws Exception {
        BusConfig config =
                load(
                        """
                        <policy context="default">
                          <allow user="*"/>
                          <deny group="games"/>
                          <allow own="*"/>
                          <deny own_prefix="a.b" log="true"/>
                          <allow send_destination="a.b" send_interface="c.d" send_member="E"
                                 send_path="/f" send_type="method_call" send_broadcast="false"
                                 send_requested_reply="false" min_fds="1" max_fds="2"/>
                          <deny receive_sender="*" receive_error="a.b.C" receive_type="*"/>
                          <deny eavesdrop="true"/>
                          <allow send_destination_prefix="a.b"/>
                        </policy>
                        <policy user="root"/><policy group="1"/>
                        <policy at_console="false"/><policy context="mandatory"/>
                        """);

        assertThat(config.policies())
                .extracting(PolicyBlock::scope)
                .containsExactly(
                        new PolicyBlock.Default(),
                        new PolicyBlock.ForUser("root"),
                        new PolicyBlock.ForGroup("1"),
                        new PolicyBlock.ForConsole(false),
                        new PolicyBlock.Mandatory());
        List<PolicyRule> rules = config.policies().getFirst().rules();
        int most = Integer.MAX_VALUE;
        assertThat(rules)
                .extracting(PolicyRule::test)
                .containsExactly(
                        new ConnectTest("*", null),
                        new ConnectTest(null, "games"),
                        new OwnTest(null, false),
                        new OwnTest("a.b", true),
                        new MessageTest(
                                true,
                                "a.b",
                                false,
                                "c.d",
                                "E",
                                "/f",
                                null,
                                MessageType.METHOD_CALL,
                                false,
                                false,
                                false,
                                1,
                                2),
                        new MessageTest(
                                false, null, false, null, null, null, "a.b.C", 0, null, false,
                                false, 0, most),
                        new MessageTest(
                                false, null, false, null, null, null, null, 0, null, false, true, 0,
                                most),
                        new MessageTest(
                                true, "a.b", true, null, null, null, null, 0, null, true, false, 0,
                                most));
        assertThat(rules.get(3))
                .hasToString("<deny own_prefix=\"a.b\" log=\"true\"/> (" + folder + "/bus.conf:5)");
    }

    /** dbus-daemon 1.16 refuses these too, except for limits that are not numbers. */
    @ParameterizedTest
    @ValueSource(
            strings = {
                "<foo/>",
                "<busconfig/>",
                "<associate/>",
                "<allow own='a.b'/>",
                "text",
                "<type/>",
                "<type></type>",
                "<type>session<fork/></type>",
                "<type a='b'>session</type>",
                "<fork a='b'/>",
                "<fork>x</fork>",
                "<fork a='b' a='c'/>",
                "<user/>",
                "<listen/>",
                "<auth/>",
                "<servicedir/>",
                "<standard_session_servicedirs>x</standard_session_servicedirs>",
                "<include/>",
                "<include>absent</include>",
                "<include>bus.conf</include>",
                "<include ignore_missing='yes'>bus.conf</include>",
                "<include ignore_missing='maybe'>absent</include>",
                "<include if_selinux_enabled='1'>absent</include>",
                "<includedir a='b'>absent</includedir>",
                "<limit>1</limit>",
                "<limit name='max_x'>1</limit>",
                "<limit name='max_message_size'/>",
                "<limit name='max_message_size'>-1</limit>",
                "<limit name='max_message_size'>many</limit>",
                "<limit name='max_message_size'>1x</limit>",
                "<limit name='max_message_size'>9999999999999999999</limit>",
                "<limit name='MAX_MESSAGE_SIZE'>1</limit>",
                "<policy/>",
                "<policy context='x'/>",
                "<policy at_console='x'/>",
                "<policy foo='x'/>",
                "<policy context='default' user='root'/>",
                "<policy context='default'>text</policy>",
                "<policy context='default'><policy context='default'/></policy>",
                "<policy context='default'><listen>unix:path=/a</listen></policy>",
                "<policy user='root'><allow user='root'/></policy>",
                "<policy group='root'><deny group='*'/></policy>",
                "<policy at_console='true'><deny user='*'/></policy>",
                "<selinux><x/></selinux>",
                "<selinux><associate own='a.b'/></selinux>",
                "<apparmor mode='x'/>",
                "<apparmor mode='required'/>",
                "<fork>",
                "<fork/></busconfig><busconfig>",
                "&undefined;",
                "<type>&undefined;</type>",
                "<type>a&#0;b</type>",
            })
    void aWrongFileIsRefused(String content) {
        assertRefused("<busconfig>\n" + content + "\n</busconfig>");
        assertRefused(DOCTYPE + "<busconfig>\n" + content + "\n</busconfig>");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<allow/>",
                "<allow foo='x'/>",
                "<allow log='true'/>",
                "<allow min_fds='1'/>",
                "<allow own='a.b'>text</allow>",
                "<allow own='a.b'><x/></allow>",
                "<allow own='a.b' own_prefix='a.b'/>",
                "<allow own='a.b' eavesdrop='true'/>",
                "<allow own='a.b' min_fds='1'/>",
                "<allow user='root' group='root'/>",
                "<allow user='root' own='a.b'/>",
                "<deny send_destination='a.b' own='c.d'/>",
                "<allow send_interface='a.b' receive_interface='a.b'/>",
                "<allow send_destination='a.b' send_destination_prefix='a.b'/>",
                "<allow send_member='A'/>",
                "<allow receive_member='A'/>",
                "<allow send_error='a.b' send_member='C'/>",
                "<allow send_interface='a.b' send_error='a.b.c'/>",
                "<allow receive_error='a.b' receive_interface='C.d'/>",
                "<allow send_type='foo'/>",
                "<allow send_broadcast='yes'/>",
                "<allow send_broadcast='true' send_destination='a.b'/>",
                "<allow send_requested_reply='1'/>",
                "<allow eavesdrop='maybe'/>",
                "<allow send_destination='*' min_fds='-1'/>",
                "<allow send_destination='*' min_fds='a'/>",
                "<allow send_destination='*' max_fds='33554433'/>",
            })
    void aRuleThatContradictsItselfIsRefused(String rule) {
        assertRefused("<busconfig><policy context='default'>" + rule + "</policy></busconfig>");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "<allow send_member='A' send_path='/'/>",
                "<allow send_destination='a.b' send_error='a.b'/>",
                "<allow send_destination='*' max_fds='0'/>",
                "<allow send_destination='a.b' eavesdrop='true'/>",
                "<allow eavesdrop='true' min_fds='1'/>",
                "<allow send_type='*'/>",
                "<allow send_broadcast='true' send_destination='*'/>",
                "<allow send_broadcast='true' send_destination_prefix='a.b'/>",
                "<allow send_broadcast='false' send_destination='a.b'/>",
                "<allow log='x' own='a.b'/>",
            })
    void whatDbusDaemonTakesIsTaken(String rule) throws Exception {
        BusConfig config = load("<policy context='default'>" + rule + "</policy>");

        assertThat(config.policies().getFirst().rules()).hasSize(1);
    }

    @Test
    void aRefusalSaysFileLineElementAndReason() throws Exception {
        Path file =
                write(
                        "bus.conf",
                        """
                        <busconfig>
                          <policy context="default">
                            <deny send_member="A"/>
                          </policy>
                        </busconfig>
                        """);

        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(file))
                .withMessage(
                        file
                                + ":3: <deny>: send_member needs send_interface or send_path:"
                                + " members of other interfaces have the same name");
        var _ = write("bus.conf", "<busconfig>\n<fork>\n</busconfig>");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(file))
                .withMessageStartingWith(file + ":3: not well-formed XML: ");
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(folder.resolve("absent")))
                .withMessageContaining("no such file");
    }

    @Test
    void anErrorInAnIncludedFileIsPlacedThere() throws Exception {
        Path included = write("d/x.conf", "<busconfig>\n\n<foo/></busconfig>");

        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> load("<includedir>d</includedir>"))
                .withMessage(included + ":3: <foo>: is not allowed inside of <busconfig>");
    }

    @Test
    void includedFilesStandWhereTheyAreIncluded() throws Exception {
        var _ = write("sub/a.conf", wrap("<listen>2</listen><include>b.conf</include>"));
        var _ = write("sub/b.conf", wrap("<listen>3</listen>"));
        var _ = write("d/2.conf", wrap("<listen>5</listen>"));
        var _ = write("d/1.conf", wrap("<listen>4</listen><type>inner</type>"));
        var _ = write("d/0.other", "not even XML");

        BusConfig config =
                load(
                        "<type>outer</type><listen>1</listen><include>sub/a.conf</include>"
                                + "<includedir>d</includedir><includedir>absent</includedir>"
                                + "<include ignore_missing='yes'>absent</include>"
                                + "<include if_selinux_enabled='yes'>absent</include>"
                                + "<include>sub/b.conf</include>");

        assertThat(config.listen()).containsExactly("1", "2", "3", "4", "5", "3");
        assertThat(config.type()).isEqualTo("inner");
        assertThat(config.files()).hasSize(6);
    }

    @Test
    void filesThatIncludeEachOtherAreRefused() throws Exception {
        var _ = write("a.conf", wrap("<include>b.conf</include>"));
        var _ = write("b.conf", wrap("<include>c.conf</include>"));
        var _ = write("c.conf", wrap("<include>../" + folder.getFileName() + "/a.conf</include>"));

        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(folder.resolve("a.conf")))
                .withMessageContaining("includes itself")
                .withMessageContaining("c.conf:");
    }

    @Test
    void filesAreIncludedNoDeeperThanTheLimit() throws Exception {
        for (int i = 0; i < BusConfigReader.MAX_DEPTH; i++) {
            String next = "<include ignore_missing='yes'>" + (i + 1) + ".conf</include>";
            var _ = write(i + ".conf", wrap(next));
        }
        assertThat(BusConfig.load(folder.resolve("0.conf")).files())
                .hasSize(BusConfigReader.MAX_DEPTH);

        var _ = write(BusConfigReader.MAX_DEPTH + ".conf", wrap(""));
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(folder.resolve("0.conf")))
                .withMessageContaining("nested files");
    }

    @Test
    void aFileIsNoLargerThanTheLimit() throws Exception {
        String shell = wrap("<!---->");
        String filler = "x".repeat(BusConfigReader.MAX_FILE_SIZE - shell.length());
        Path file = write("bus.conf", wrap("<!--" + filler + "-->"));

        assertThat(BusConfig.load(file).policies()).isEmpty();
        var _ = write("bus.conf", wrap("<!--" + filler + "x-->"));
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(file))
                .withMessageContaining("more than 1048576 bytes");
    }

    @Test
    void aDocumentTypeFetchesAndDefinesNothing() throws Exception {
        Path secret = write("secret", "unix:path=/secret");
        String external = "<!DOCTYPE busconfig [<!ENTITY e SYSTEM \"" + secret.toUri() + "\">]>";
        String bomb =
                "<!DOCTYPE busconfig [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;\">"
                        + "<!ENTITY e \"&b;&b;&b;&b;\">]>";

        assertThat(BusConfig.load(write("bus.conf", DOCTYPE + wrap("<type>a</type>"))).type())
                .isEqualTo("a");
        assertRefused(external + wrap("<listen>&e;</listen>"));
        assertRefused(bomb + wrap("<listen>&e;</listen>"));
        assertThat(load("<listen>unix:path=/a&amp;b&#x63;<![CDATA[<]]></listen>").listen())
                .containsExactly("unix:path=/a&bc<");
    }

    @Test
    void theFilesOfThisMachineLoad() throws Exception {
        for (String name : List.of("session.conf", "system.conf")) {
            Path file = Path.of("/usr/share/dbus-1", name);
            assumeTrue(Files.exists(file));

            BusConfig config = BusConfig.load(file);

            assertThat(config.type()).isEqualTo(name.replace(".conf", ""));
            assertThat(config.policies()).isNotEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"session, 3", "system, 16"})
    void theBuiltInConfigurationIsWhole(String type, int rules) throws Exception {
        BusConfig config =
                BusConfig.builtIn(
                        type + ".conf", Map.of("XDG_RUNTIME_DIR", "/run/u", "HOME", "/home/u"));

        assertThat(config.type()).isEqualTo(type);
        assertThat(config.policies().getFirst().rules()).hasSize(rules);
        assertThat(config.serviceFolders()).hasSizeGreaterThan(3);
        assertThat(config.policies().getFirst().place().source())
                .isEqualTo("built-in " + type + ".conf");
    }

    @Test
    void theBuiltInSessionLimitsAreThoseOfTheDistribution() throws Exception {
        Path file = Path.of("/usr/share/dbus-1/session.conf");
        assumeTrue(Files.exists(file));
        Limits theirs = BusConfig.load(file).limits();
        Limits ours = BusConfig.builtIn("session.conf", Map.of()).limits();

        assertThat(
                        Stream.of(BusLimit.values())
                                .filter(limit -> !limit.toString().endsWith("_per_user"))
                                .filter(limit -> ours.get(limit) != theirs.get(limit)))
                .isEmpty();
    }

    @Test
    void sessionServicesFollowTheEnvironment() {
        assertThat(
                        StandardFolders.session(
                                Map.of(
                                        "XDG_RUNTIME_DIR", "/run/u",
                                        "HOME", "/h",
                                        "XDG_DATA_DIRS", "/x:relative:/y:")))
                .containsExactly(
                        new ServiceFolder(Path.of("/run/u/dbus-1/services"), true),
                        new ServiceFolder(Path.of("/h/.local/share/dbus-1/services"), false),
                        new ServiceFolder(Path.of("/x/dbus-1/services"), false),
                        new ServiceFolder(Path.of("/y/dbus-1/services"), false));
        assertThat(StandardFolders.session(Map.of("XDG_DATA_HOME", "/d")))
                .extracting(ServiceFolder::path)
                .containsExactly(
                        Path.of("/d/dbus-1/services"),
                        Path.of("/usr/local/share/dbus-1/services"),
                        Path.of("/usr/share/dbus-1/services"));
    }

    private void assertRefused(String text) {
        assertThatExceptionOfType(ConfigException.class)
                .isThrownBy(() -> BusConfig.load(write("bus.conf", text)))
                .satisfies(e ->
                        assertThat(e.getMessage())
                                .startsWith(folder + "/bus.conf:")
                                .doesNotContain("\n"));
    }

    private BusConfig load(String content) throws Exception {
        return BusConfig.load(write("bus.conf", wrap(content)));
    }

    private static String wrap(String content) {
        return "<busconfig>" + content + "</busconfig>";
    }

    private Path write(String name, String text) throws IOException {
        Path file = folder.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, text);
    }

    /** The JDK's parser throws MissingResourceException for it. */
    @Test
    void aBrokenDocumentTypeIsRefusedAsABrokenFile() throws Exception {
        Path file = write("bus.conf", "<!DOCTYPE busconfig [<!ENTITY a \u001a]><busconfig/>");
        assertThatThrownBy(() -> BusConfig.load(file))
                .isInstanceOf(ConfigException.class)
                .hasMessageStartingWith(file + ":")
                .hasMessageContaining("not well-formed XML");
    }
}
