package io.holdfast.manager.unit.section;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.Signal;
import io.holdfast.core.process.Resource;
import io.holdfast.manager.unit.Dependencies;
import io.holdfast.manager.unit.Dependency;
import io.holdfast.manager.unit.Diagnostic;
import io.holdfast.manager.unit.Tree;
import io.holdfast.manager.unit.UnitFilePlace;
import io.holdfast.manager.unit.UnitName;
import io.holdfast.manager.unit.UnitType;
import io.holdfast.manager.unit.condition.Condition;
import io.holdfast.manager.unit.file.UnitFile;
import io.holdfast.manager.unit.file.UnitSource;
import io.holdfast.manager.unit.host.Host;
import io.holdfast.manager.unit.section.ServiceSection.NotifyAccess;
import io.holdfast.manager.unit.section.ServiceSection.Restart;
import io.holdfast.manager.unit.section.UnitReader.Support;
import io.holdfast.manager.unit.settings.EmergencyAction;
import io.holdfast.manager.unit.settings.ExecSettings;
import io.holdfast.manager.unit.settings.KillSettings;
import io.holdfast.manager.unit.settings.SandboxSettings;
import io.holdfast.manager.unit.value.Capability;
import io.holdfast.manager.unit.value.Environment;
import io.holdfast.manager.unit.value.EnvironmentFile;
import io.holdfast.manager.unit.value.ExecCommand;
import io.holdfast.manager.unit.value.ExecDirectory;
import io.holdfast.manager.unit.value.ExitStatusSet;
import io.holdfast.manager.unit.value.ResourceLimit;
import io.holdfast.manager.unit.value.ServiceType;
import io.holdfast.manager.unit.value.StandardStream;
import io.holdfast.manager.unit.value.TimeSpan;
import io.holdfast.manager.unit.value.WorkingDirectory;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitReaderTest {
    /** Directives as in a package's unit of a database. */
    private static final String DAEMON =
            """
            [Unit]
            Description=A store (%I)
            After=network.target nss-lookup.target
            Documentation=man:stored(1) https://example.org/

            [Service]
            Type=notify
            ExecStart=/usr/bin/stored /etc/stored/%i.conf --daemonize no
            PIDFile=/var/run/stored-%i/stored.pid
            TimeoutStopSec=0
            Restart=always
            User=stored
            Group=stored
            RuntimeDirectory=stored-%i
            RuntimeDirectoryMode=2755
            UMask=007
            LimitNOFILE=65535
            NoNewPrivileges=true
            CapabilityBoundingSet=
            RestrictFileSystems=ext4
            RestrictFileSystems=xfs

            [Install]
            WantedBy=multi-user.target
            Alias=store@%i.service
            """;

    private static ServiceUnit daemon() {
        return Tree.service("stored@main.service", DAEMON);
    }

    @Test
    void onlyTheStartCommandHasTheUsersPermissionsIfAnOlderUnitWantsThat() {
        ServiceSection.Commands commands =
                Tree.service(
                                "a.service",
                                """
                                [Service]
                                User=daemon
                                ExecStartPre=-!/bin/true
                                ExecStart=/bin/sleep 1
                                PermissionsStartOnly=yes
                                ExecStop=/bin/true
                                """)
                        .service()
                        .commands();
        assertThat(commands.start().getFirst().flags()).isEmpty();
        assertThat(commands.stop().getFirst().flags())
                .containsExactly(ExecCommand.Flag.FULLY_PRIVILEGED);
        assertThat(commands.startPre().getFirst().flags())
                .containsExactlyInAnyOrder(
                        ExecCommand.Flag.FULLY_PRIVILEGED, ExecCommand.Flag.IGNORE_FAILURE);
    }

    @Test
    void aPackagesServiceIsReadWhole() {
        ServiceUnit unit = daemon();
        assertThat(unit.isRefused()).isFalse();
        assertThat(unit.unit().description()).isEqualTo("A store (main)");
        assertThat(unit.unit().documentation()).hasSize(2);
        assertThat(unit.unit().dependencies().of(Dependency.AFTER))
                .containsExactly(UnitName.of("network.target"), UnitName.of("nss-lookup.target"));
        assertThat(unit.service().type()).isEqualTo(ServiceType.NOTIFY);
        assertThat(unit.service().commands().start().getFirst().arguments())
                .containsExactly("/usr/bin/stored", "/etc/stored/main.conf", "--daemonize", "no");
        assertThat(unit.service().pidFile()).contains("/run/stored-main/stored.pid");
        assertThat(unit.service().timeouts().stop()).isEqualTo(TimeSpan.INFINITY);
        assertThat(unit.service().restart().when()).isEqualTo(Restart.ALWAYS);
        assertThat(unit.service().notifyAccess()).isEqualTo(NotifyAccess.MAIN);
        assertThat(unit.exec().user()).contains("stored");
        assertThat(unit.exec().directories().get(ExecDirectory.Kind.RUNTIME))
                .isEqualTo(
                        new ExecDirectory(
                                ExecDirectory.Kind.RUNTIME,
                                List.of(new ExecDirectory.Entry("stored-main", List.of())),
                                02755));
        assertThat(unit.exec().umask()).isEqualTo(007);
        assertThat(unit.exec().limits().get(Resource.NOFILE))
                .isEqualTo(new ResourceLimit(65535, 65535));
        assertThat(unit.exec().noNewPrivileges()).isTrue();
        assertThat(unit.exec().capabilityBoundingSet()).isEmpty();
        assertThat(unit.install().wantedBy()).containsExactly(UnitName.of("multi-user.target"));
        assertThat(unit.install().aliases()).containsExactly(UnitName.of("store@main.service"));
        assertThat(unit.cgroup().sliceOf(unit.name(), Tree.SYSTEM))
                .isEqualTo(UnitName.of("system-stored.slice"));
    }

    @Test
    void whatIsNotHonouredIsToldOnceWithItsPlace() {
        assertThat(Tree.messages(daemon()))
                .contains(
                        "test:20: RestrictFileSystems= is not supported: file systems of every type are accessible")
                .noneMatch(m -> m.startsWith("test:21"));
        assertThat(daemon().diagnostics())
                .extracting(Diagnostic::kind)
                .containsOnly(Diagnostic.Kind.NOT_APPLIED, Diagnostic.Kind.REMARK);
    }

    @Test
    void whatNobodyKnowsIsToldApartFromIt() {
        ServiceUnit unit =
                Tree.service(
                        "a.service",
                        """
                        [Service]
                        ExecStart=/bin/true
                        ExceStart=/bin/false
                        X-Mine=1
                        [Timer]
                        OnBootSec=1
                        [X-Other]
                        A=1
                        [Nonsense]
                        """);
        assertThat(Tree.messages(unit))
                .containsExactly(
                        "test:3: unknown directive \"ExceStart\" in [Service], did you mean ExecStart=?; ignored",
                        "test:5: unknown section [Timer] in a service; ignored",
                        "test:9: unknown section [Nonsense] in a service; ignored");
        assertThat(unit.isRefused()).isFalse();
    }

    @Test
    void defaultsAreSystemds() {
        ServiceUnit unit = Tree.service("");
        assertThat(unit.service().type()).isEqualTo(ServiceType.SIMPLE);
        assertThat(unit.service().restart().when()).isEqualTo(Restart.NO);
        assertThat(unit.service().restart().delay()).isEqualTo(TimeSpan.millis(100));
        assertThat(unit.service().timeouts().start()).isEqualTo(TimeSpan.seconds(90));
        assertThat(unit.service().timeouts().stop()).isEqualTo(TimeSpan.seconds(90));
        assertThat(unit.service().timeouts().runtimeMax()).isEqualTo(TimeSpan.INFINITY);
        assertThat(unit.service().notifyAccess()).isEqualTo(NotifyAccess.NONE);
        assertThat(unit.service().guessMainPid()).isTrue();
        assertThat(unit.kill().mode()).isEqualTo(KillSettings.KillMode.CONTROL_GROUP);
        assertThat(unit.kill().signal()).isEqualTo(Signal.TERM);
        assertThat(unit.kill().finalSignal()).isEqualTo(Signal.KILL);
        assertThat(unit.exec().umask()).isEqualTo(0022);
        assertThat(unit.exec().capabilityBoundingSet()).hasSize(41);
        assertThat(unit.unit().startLimit())
                .isEqualTo(new UnitSection.StartLimit(TimeSpan.seconds(10), 5));
        assertThat(unit.unit().description()).isEqualTo("test.service");
        assertThat(unit.diagnostics()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "'', SIMPLE",
        "BusName=a.b, DBUS",
        "Type=oneshot, ONESHOT",
        "Type=notify-reload, NOTIFY_RELOAD",
        "Type=forking, FORKING",
        "Type=nonsense, SIMPLE",
        "ExecStart=, ONESHOT"
    })
    void theTypeFollowsFromWhatIsThere(String directive, ServiceType type) {
        assertThat(Tree.service(directive).service().type()).isEqualTo(type);
    }

    @Test
    void aOneshotServiceMayTakeForeverToStart() {
        assertThat(Tree.service("Type=oneshot").service().timeouts().start())
                .isEqualTo(TimeSpan.INFINITY);
        assertThat(Tree.service("Type=oneshot\nTimeoutSec=5").service().timeouts().start())
                .isEqualTo(TimeSpan.seconds(5));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ExecStart=",
                "ExecStart=\nType=simple\nExecStop=/bin/true",
                "ExecStart=\nExecStop=/bin/true",
                "ExecStart=/bin/false",
                "Type=oneshot\nRestart=always",
                "Type=oneshot\nRestartForceExitStatus=1",
                "Type=dbus",
                "User=a:b",
                "Group=-x",
                "SupplementaryGroups=a b/c",
                "ExecStartPre=relative/path",
                "ExecStop=/bin/a %z",
                "PAMName=x\nKillMode=process",
                "PAMName=x\nKillMode=none",
                "Type=forking\nPrivatePIDs=yes",
                "DynamicUser=yes\nWorkingDirectory=~"
            })
    void whatMakesNoServiceIsRefused(String directives) {
        assertThat(Tree.service(directives).isRefused()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "ExecStart=\nExecStop=/bin/true\nRemainAfterExit=yes",
                "Type=oneshot\nExecStart=/bin/false",
                "Type=oneshot\nRestart=on-failure",
                "User=1000",
                "User=with.dot",
                "PAMName=x\nKillMode=mixed",
                "ExecStartPre=-relative/path"
            })
    void whatIsUnusualButGoodIsNot(String directives) {
        assertThat(Tree.service(directives).isRefused()).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "Restart=sometimes",
                "RestartSec=",
                "UMask=99",
                "UMask=",
                "KillSignal=SIGNOPE",
                "KillSignal=0",
                "KillMode=all",
                "Nice=25",
                "OOMScoreAdjust=2000",
                "LimitNOFILE=10:5",
                "NoNewPrivileges=maybe",
                "SuccessExitStatus=300",
                "StandardOutput=printer",
                "WorkingDirectory=-relative",
                "PIDFile=../x",
                "RuntimeDirectory=/abs",
                "RuntimeDirectory=../up",
                "RuntimeDirectory=private/x",
                "Environment=bad",
                "Environment=1A=x",
                "Environment=\"A=1",
                "PassEnvironment=A=1",
                "Slice=x.service",
                "Slice=a--b.slice",
                "CapabilityBoundingSet=CAP_NONE",
                "EnvironmentFile=relative",
                "NotifyAccess=some",
                "Environment=A=%z",
                "RestartSteps=-1",
                "RuntimeDirectoryPreserve=perhaps",
                "ReloadSignal=x"
            })
    void aBadValueIsToldAndChangesNothing(String directive) {
        ServiceUnit bad = Tree.service(directive);
        ServiceUnit good = Tree.service("");
        String key = directive.substring(0, directive.indexOf('='));
        assertThat(bad.diagnostics())
                .singleElement()
                .satisfies(d -> {
                    assertThat(d.kind()).isEqualTo(Diagnostic.Kind.IGNORED);
                    assertThat(d.toString()).startsWith("test:3: " + key + "=: ");
                });
        assertThat(bad.service()).usingRecursiveComparison().isEqualTo(good.service());
        if (!key.equals("CapabilityBoundingSet")) { // its valid words are applied
            assertThat(bad.exec()).isEqualTo(good.exec());
        }
        assertThat(bad.kill()).isEqualTo(good.kill());
        assertThat(bad.cgroup()).isEqualTo(good.cgroup());
    }

    @Test
    void listsAppendAndAreEmptied() {
        ExecSettings exec =
                Tree.service(
                                """
                                Environment=A=1 "B=b c" 'C="q"' D=\\x41
                                Environment=A=2
                                EnvironmentFile=-/etc/default/%N
                                PassEnvironment=X Y
                                UnsetEnvironment=A B=b
                                StateDirectory=b a/c a:link
                                StateDirectoryMode=0700
                                SupplementaryGroups=one two
                                SupplementaryGroups=
                                SupplementaryGroups=three
                                """)
                        .exec();
        assertThat(exec.environment().assignments())
                .containsEntry("A", "2")
                .containsEntry("B", "b c")
                .containsEntry("C", "\"q\"")
                .containsEntry("D", "A");
        assertThat(exec.environment().files())
                .containsExactly(
                        new EnvironmentFile(
                                "/etc/default/test", true, new UnitFilePlace("test", 5)));
        assertThat(exec.environment().passed()).containsExactlyInAnyOrder("X", "Y");
        assertThat(exec.environment().unset()).containsExactlyInAnyOrder("A", "B=b");
        assertThat(exec.directories())
                .containsOnly(
                        Map.entry(
                                ExecDirectory.Kind.STATE,
                                new ExecDirectory(
                                        ExecDirectory.Kind.STATE,
                                        List.of(
                                                new ExecDirectory.Entry("a", List.of("link")),
                                                new ExecDirectory.Entry("a/c", List.of()),
                                                new ExecDirectory.Entry("b", List.of())),
                                        0700)));
        assertThat(exec.supplementaryGroups()).containsExactly("three");
        assertThat(Tree.service("Environment=A=1\nEnvironment=").exec().environment().assignments())
                .isEmpty();
    }

    @Test
    void aListEndsWhereItsWordsCannotBeToldApart() {
        ServiceUnit unit =
                Tree.service(
                        """
                        Environment=A=1 B=x\\ y C=3
                        Environment=D=4 E=\\q
                        PassEnvironment=X "Y
                        UnsetEnvironment=U V=\\x41 W\\q
                        ReadWritePaths=/a '/b
                        SuccessExitStatus=7 '8
                        """);
        Environment environment = unit.exec().environment();
        assertThat(environment.assignments())
                .containsExactly(Map.entry("A", "1"), Map.entry("D", "4"));
        assertThat(environment.passed()).containsExactly("X");
        assertThat(environment.unset()).containsExactlyInAnyOrder("U", "V=A");
        assertThat(unit.service().successExitStatus()).isEqualTo(ExitStatusSet.EMPTY.with("7"));
        assertThat(unit.diagnostics())
                .hasSize(6)
                .allSatisfy(d -> assertThat(d.kind()).isEqualTo(Diagnostic.Kind.IGNORED));
    }

    @Test
    void aBackslashInAListTakesTheNextCharacterAsItIs() {
        assertThat(
                        Tree.service("ReadOnlyPaths=/a\\ b \"/c\\\"d\" /e\\\\f")
                                .exec()
                                .sandbox()
                                .rules())
                .extracting(SandboxSettings.PathRule::path)
                .containsExactly("/a b", "/c\"d", "/e\\f");
    }

    @Test
    void theFirstInvertedAssignmentOfAmbientCapabilitiesStartsFromAll() {
        assertThat(ambient("~CAP_KILL"))
                .isEqualTo(EnumSet.complementOf(EnumSet.of(Capability.KILL)));
        assertThat(ambient("~CAP_KILL", "~CAP_CHOWN"))
                .isEqualTo(EnumSet.complementOf(EnumSet.of(Capability.KILL, Capability.CHOWN)));
        assertThat(ambient("~", "CAP_KILL")).hasSize(Capability.values().length);
        assertThat(ambient("CAP_KILL CAP_CHOWN", "~CAP_KILL")).containsExactly(Capability.CHOWN);
        assertThat(ambient("CAP_KILL", "", "CAP_CHOWN")).containsExactly(Capability.CHOWN);
    }

    private static Set<Capability> ambient(String... assignments) {
        return Tree.service(
                        Stream.of(assignments)
                                .map(each -> "AmbientCapabilities=" + each)
                                .collect(Collectors.joining("\n")))
                .exec()
                .ambientCapabilities();
    }

    @Test
    void surroundingsAreRead() {
        ExecSettings exec =
                Tree.service(
                                """
                                WorkingDirectory=-~
                                StandardInput=file:/etc/passwd
                                StandardOutput=append:%L/x
                                StandardError=fd:err
                                Nice=-5
                                OOMScoreAdjust=-900
                                UMask=17777
                                UMask=0077
                                """)
                        .exec();
        assertThat(exec.workingDirectory()).contains(new WorkingDirectory(true, "", true));
        assertThat(exec.standardInput())
                .isEqualTo(new StandardStream(StandardStream.Kind.FILE, "/etc/passwd"));
        assertThat(exec.standardOutput())
                .isEqualTo(new StandardStream(StandardStream.Kind.APPEND, "/var/log/x"));
        assertThat(exec.standardError())
                .isEqualTo(new StandardStream(StandardStream.Kind.FD, "err"));
        assertThat(exec.nice()).hasValue(-5);
        assertThat(exec.oomScoreAdjust()).hasValue(-900);
        assertThat(exec.umask()).isEqualTo(0077);
    }

    @Test
    void restartAndStopAreRead() {
        ServiceUnit unit =
                Tree.service(
                        """
                        Restart=on-abnormal
                        RestartSec=1.5
                        RestartPreventExitStatus=1 SIGKILL
                        RestartForceExitStatus=TEMPFAIL
                        SuccessExitStatus=143
                        StartLimitInterval=1min
                        StartLimitBurst=0
                        WatchdogSec=30
                        TimeoutStopSec=7
                        KillMode=mixed
                        KillSignal=SIGRTMIN+3
                        SendSIGHUP=yes
                        SendSIGKILL=no
                        """);
        assertThat(unit.service().restart().when()).isEqualTo(Restart.ON_ABNORMAL);
        assertThat(unit.service().restart().delay()).isEqualTo(TimeSpan.millis(1500));
        assertThat(unit.service().restart().prevent().hasSignal(Signal.KILL)).isTrue();
        assertThat(unit.service().restart().force().hasStatus(75)).isTrue();
        assertThat(unit.service().successExitStatus().hasStatus(143)).isTrue();
        assertThat(unit.service().timeouts().abort()).isEqualTo(TimeSpan.seconds(7));
        assertThat(unit.service().notifyAccess()).isEqualTo(NotifyAccess.MAIN);
        assertThat(unit.unit().startLimit().isUnlimited()).isTrue();
        assertThat(unit.kill().mode()).isEqualTo(KillSettings.KillMode.MIXED);
        assertThat(unit.kill().signal()).isEqualTo(Signal.of("RTMIN+3"));
        assertThat(unit.kill().restartSignal()).isEqualTo(Signal.of("RTMIN+3"));
        assertThat(unit.kill().sendHangup()).isTrue();
        assertThat(unit.kill().sendFinal()).isFalse();
        assertThat(unit.isRefused()).isFalse();
    }

    @Test
    void anEmptyConditionForgetsThoseOfEveryKind() {
        ServiceUnit unit =
                Tree.service(
                        "a.service",
                        """
                        [Unit]
                        ConditionPathExists=/a
                        AssertPathExists=/b
                        ConditionHost=
                        ConditionUser=| ! root
                        ConditionPathExists=relative
                        [Service]
                        ExecStart=/bin/true
                        """);
        assertThat(unit.unit().conditions())
                .extracting(Condition::toString)
                .containsExactly("ConditionUser=|!root");
        assertThat(unit.unit().assertions())
                .extracting(Condition::toString)
                .containsExactly("AssertPathExists=/b");
        assertThat(Tree.messages(unit))
                .containsExactly(
                        "test:6: ConditionPathExists=: \"relative\" is not an absolute path;"
                                + " ignored");
    }

    @Test
    void dependenciesTakeTemplatesFormerNamesAndKeepBackslashes() {
        UnitSection unit =
                Tree.service(
                                "self@i.service",
                                """
                                [Unit]
                                Wants=a.service bad! t@.service
                                BindTo=b.service
                                After=c\\x2dd.service self@i.service "e.service"
                                Wants=
                                [Service]
                                ExecStart=/bin/true
                                """)
                        .unit();
        assertThat(unit.dependencies().of(Dependency.WANTS))
                .containsExactly(UnitName.of("a.service"), UnitName.of("t@i.service"));
        assertThat(unit.dependencies().of(Dependency.BINDS_TO))
                .containsExactly(UnitName.of("b.service"));
        assertThat(unit.dependencies().of(Dependency.AFTER))
                .containsExactly(UnitName.of("c\\x2dd.service"), UnitName.of("e.service"));
    }

    @Test
    void otherKindsHaveTheCommonSections() {
        Unit target = Tree.read(source("x.target", "[Unit]\nDescription=T\n"));
        assertThat(target).isInstanceOf(TargetUnit.class);
        assertThat(target.unit().description()).isEqualTo("T");

        Unit swap = Tree.read(source("x.swap", "[Swap]\nPriority=1\nPriorty=1\n"));
        assertThat(swap).isInstanceOf(SwapUnit.class);
        assertThat(Tree.messages(swap))
                .contains(
                        "test:3: unknown directive \"Priorty\" in [Swap], did you mean Priority=?; ignored");

        SliceUnit slice = (SliceUnit) Tree.read(source("a-b.slice", "[Slice]\nTasksMax=5\n"));
        assertThat(slice.parent()).contains(UnitName.of("a.slice"));
        assertThat(Tree.read(source("a--b.slice", "[Unit]\n")).isRefused()).isTrue();
    }

    private static UnitSource source(String name, String text) {
        return UnitSource.inMemory(UnitName.of(name), UnitFile.parse("test", text));
    }

    @Test
    void aTemplateIsReadButRefused() {
        assertThat(Tree.messages(Tree.service("t@.service", "[Service]\nExecStart=/bin/true %i\n")))
                .singleElement()
                .asString()
                .contains("t@NAME.service");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            textBlock =
                    """
                    [Service]|Restrat=no|unknown directive "Restrat" in [Service], did you mean Restart=?; ignored
                    [Service]|restart=no|unknown directive "restart" in [Service], did you mean Restart=?; ignored
                    [Service]|ExecStrat=/x|unknown directive "ExecStrat" in [Service], did you mean ExecStart=?; ignored
                    [Service]|Afer=b.service|unknown directive "Afer" in [Service]; ignored
                    [Service]|After=b.service|unknown directive "After" in [Service], it belongs in [Unit]; ignored
                    [Unit]|Afer=b.service|unknown directive "Afer" in [Unit], did you mean After=?; ignored
                    [Unit]|Restart=no|unknown directive "Restart" in [Unit], it belongs in [Service]; ignored
                    [Unit]|WantedBy=a.target|unknown directive "WantedBy" in [Unit], it belongs in [Install]; ignored
                    [Unit]|Frobnicate=1|unknown directive "Frobnicate" in [Unit]; ignored
                    """)
    void aMistypedDirectiveIsToldFromWhatItMayHaveBeen(String section, String line, String says) {
        Unit unit =
                new UnitReader(Tree.HOST, Tree.SYSTEM)
                        .read(
                                source(
                                        "a.service",
                                        section + "\n" + line + "\n[Service]\nExecStart=/x\n"));
        assertThat(Tree.messages(unit)).containsExactly("test:2: " + says);
    }

    @Test
    void theHonouredDirectivesFollowFromTheReaders() {
        Set<String> service = UnitReader.directives(UnitType.SERVICE, "Service", Support.APPLIED);
        assertThat(service)
                .contains(
                        "ExecStart",
                        "User",
                        "LimitNOFILE",
                        "KillMode",
                        "Slice",
                        "LogsDirectoryMode")
                .contains(
                        "PrivateTmp", "DynamicUser", "IOSchedulingClass", "FileDescriptorStoreMax")
                .doesNotContain("RestrictFileSystems", "RestrictNetworkInterfaces");
        assertThat(UnitReader.directives(UnitType.SERVICE, "Unit", Support.APPLIED))
                .contains("After", "ConditionPathExists", "AssertPathExists", "StartLimitBurst");
        assertThat(UnitReader.directives(UnitType.SOCKET, "Socket", Support.APPLIED))
                .contains("ListenStream", "Accept", "PassPIDFD", "ListenNetlink", "KeepAlive")
                .contains("ExecStartPre", "User")
                .doesNotContain("ListenUSBFunction");
        assertThat(UnitReader.directives(UnitType.TARGET, "Install", Support.APPLIED))
                .contains("WantedBy");
    }

    @Test
    void actionsAreReadInTheirOldPlaceToo() {
        ServiceUnit unit = Tree.service("FailureAction=reboot\nStartLimitAction=poweroff");
        assertThat(unit.diagnostics()).isEmpty();
        assertThat(unit.unit().ends().failureAction()).isEqualTo(EmergencyAction.REBOOT);
        assertThat(unit.unit().ends().startLimitAction()).isEqualTo(EmergencyAction.POWEROFF);
    }

    @Test
    void aLabelIsIgnoredWhereNoSecurityModuleReadsIt() {
        String lines = "SELinuxContext=a\nAppArmorProfile=-b\nSmackProcessLabel=c\n";
        String text = "[Service]\nExecStart=/x\n" + lines;
        assertThat(Tree.service("a.service", text).diagnostics()).isEmpty();
        UnitSource source =
                UnitSource.inMemory(UnitName.of("a.service"), UnitFile.parse("t", text));
        assertThat(new UnitReader(Host.UNKNOWN, Tree.SYSTEM).read(source).diagnostics())
                .hasSize(3)
                .allMatch(Diagnostic::isSecurity);
    }

    @Test
    void aWorkingDirectoryThatIsNotAbsoluteRefusesTheUnitUnlessItMayBeMissing() {
        String service = "[Service]\nExecStart=/x\nWorkingDirectory=";
        assertThat(Tree.service("a.service", service + "foo\n").diagnostics())
                .extracting(Diagnostic::kind)
                .containsExactly(Diagnostic.Kind.REFUSED);
        assertThat(Tree.service("a.service", service + "-foo\n").diagnostics())
                .extracting(Diagnostic::kind)
                .containsExactly(Diagnostic.Kind.IGNORED);
    }

    @Test
    void impliedDependenciesAreThoseOfServices() {
        Dependencies implied = ImpliedDependencies.of(Tree.service(""), Tree.SYSTEM);
        assertThat(names(implied, Dependency.REQUIRES))
                .containsExactlyInAnyOrder("system.slice", "sysinit.target");
        assertThat(names(implied, Dependency.AFTER))
                .containsExactlyInAnyOrder(
                        "system.slice",
                        "sysinit.target",
                        "basic.target",
                        "systemd-journald.socket");
        assertThat(names(implied, Dependency.CONFLICTS)).containsExactly("shutdown.target");
        assertThat(names(implied, Dependency.BEFORE)).containsExactly("shutdown.target");

        Dependencies bare =
                ImpliedDependencies.of(
                        Tree.service(
                                "a.service",
                                "[Unit]\nDefaultDependencies=no\n[Service]\nExecStart=/x\n"),
                        Tree.SYSTEM);
        assertThat(names(bare, Dependency.AFTER))
                .containsExactlyInAnyOrder("system.slice", "systemd-journald.socket");
        assertThat(names(bare, Dependency.CONFLICTS)).isEmpty();
    }

    private static Set<String> names(Dependencies dependencies, Dependency kind) {
        return dependencies.of(kind).stream().map(UnitName::text).collect(Collectors.toSet());
    }

    @Test
    void aTargetStartsBehindWhatItPullsIn() {
        TargetUnit target =
                (TargetUnit)
                        Tree.read(
                                source(
                                        "t.target",
                                        """
                                        [Unit]
                                        Wants=a.service b.service c.service
                                        Before=c.service
                                        """));
        String service = "[Service]\nExecStart=/x\n";
        assertThat(ImpliedDependencies.ordersBehind(target, Tree.service("a.service", service)))
                .isTrue();
        assertThat(
                        ImpliedDependencies.ordersBehind(
                                target,
                                Tree.service(
                                        "b.service", "[Unit]\nDefaultDependencies=no\n" + service)))
                .isFalse();
        assertThat(ImpliedDependencies.ordersBehind(target, Tree.service("c.service", service)))
                .isFalse();
        assertThat(ImpliedDependencies.ordersBehind(target, Tree.service("d.service", service)))
                .isFalse();
    }
}
