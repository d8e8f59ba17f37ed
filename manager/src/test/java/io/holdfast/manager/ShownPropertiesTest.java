package io.holdfast.manager;

import static org.assertj.core.api.Assertions.assertThat;

import io.holdfast.core.testkit.Needs;
import io.holdfast.manager.systemd1.Systemd1;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What systemctl(1) shows of units, as they are and as their files are. */
@Timeout(120)
@Needs(programs = "systemctl")
class ShownPropertiesTest {
    @TempDir private Path folder;
    private Stage stage;
    private Systemd1 face;

    @BeforeEach
    void open() throws Exception {
        stage = Stage.in(folder);
        face = Systemd1.serve(stage.manager(), stage.runtimeDirectory());
    }

    @AfterEach
    void close() throws Exception {
        face.close();
        stage.close();
    }

    private List<String> shown(String unit, String properties) throws Exception {
        return Systemctl.of(stage).expect(0, "show", unit, "-p", properties).lines().toList();
    }

    @Test
    void whatIsNotSetHasItsUsualValue() throws Exception {
        String settings =
                "UMask,Delegate,OOMPolicy,StandardInput,StandardOutput,StandardError,WatchdogUSec";
        stage.service("plain", "ExecStart=/bin/sleep 1000");
        assertThat(shown("plain", settings))
                .containsExactlyInAnyOrder(
                        "UMask=0022",
                        "Delegate=no",
                        "OOMPolicy=stop",
                        "StandardInput=null",
                        "StandardOutput=journal",
                        "StandardError=inherit",
                        "WatchdogUSec=infinity");
        assertThat(shown("plain", "ExitType")).containsExactly("ExitType=main");
        stage.start("plain");
        assertThat(shown("plain", "WatchdogUSec")).containsExactly("WatchdogUSec=0");

        stage.service(
                "set",
                "ExecStart=/bin/sleep 1000",
                "UMask=077",
                "Delegate=cpu memory",
                "StandardInput=file:/etc/hostname",
                "StandardOutput=append:/dev/null",
                "WatchdogSec=5");
        assertThat(shown("set", settings))
                .containsExactlyInAnyOrder(
                        "UMask=0077",
                        "Delegate=yes",
                        "OOMPolicy=continue",
                        "StandardInput=file",
                        "StandardOutput=append",
                        "StandardError=inherit",
                        "WatchdogUSec=infinity");
    }

    @Test
    void whatAServiceReportsIsShown() throws Exception {
        stage.service(
                "a",
                "Type=notify",
                "WatchdogSec=30s",
                "ExecStart="
                        + stage.python(
                                "a",
                                """
                                notify("READY=1\\nERRNO=13\\nWATCHDOG_USEC=20000000\\n"
                                        "BUSERROR=org.example.E\\nVARLINKERROR=org.example.V")
                                signal.pause()
                                """));
        stage.start("a");
        assertThat(shown("a", "StatusErrno,StatusBusError,StatusVarlinkError,WatchdogUSec"))
                .containsExactlyInAnyOrder(
                        "StatusErrno=13",
                        "StatusBusError=org.example.E",
                        "StatusVarlinkError=org.example.V",
                        "WatchdogUSec=20s");
        stage.service("a", "WatchdogSec=30s", "ExecStart=/bin/sleep 1000");
        Stage.get(stage.reloading());
        stage.restart("a");
        assertThat(shown("a", "StatusErrno,StatusBusError,WatchdogUSec"))
                .contains("StatusErrno=0", "WatchdogUSec=30s");
    }

    @Test
    void whichRequestsAUnitAcceptsIsShown() throws Exception {
        String able = "CanStart,CanStop,CanIsolate";
        stage.serviceWith("free", "AllowIsolate=yes", "ExecStart=/bin/sleep 1000");
        assertThat(shown("free", able))
                .containsExactlyInAnyOrder("CanStart=yes", "CanStop=yes", "CanIsolate=yes");
        stage.serviceWith(
                "kept",
                "AllowIsolate=yes\nRefuseManualStart=yes\nRefuseManualStop=yes",
                "ExecStart=/bin/sleep 1000");
        assertThat(shown("kept", able))
                .containsExactlyInAnyOrder("CanStart=no", "CanStop=no", "CanIsolate=no");
    }

    @Test
    void failedJobsAreCounted() throws Exception {
        String count = "NFailedJobs";
        assertThat(Systemctl.of(stage).expect(0, "show", "-p", count)).contains("NFailedJobs=0");
        stage.service("fails", "Type=oneshot", "ExecStart=/bin/false");
        stage.start("fails");
        assertThat(Systemctl.of(stage).expect(0, "show", "-p", count)).contains("NFailedJobs=1");
    }

    @Test
    void whatADynamicUserImpliesIsShown() throws Exception {
        String settings = "ProtectSystem,ProtectHome,PrivateTmp,NoNewPrivileges,PrivateDevices";
        stage.service("dynamic", "DynamicUser=yes", "ExecStart=/bin/sleep 1000");
        assertThat(shown("dynamic", settings))
                .containsExactlyInAnyOrder(
                        "ProtectSystem=strict",
                        "ProtectHome=read-only",
                        "PrivateTmp=yes",
                        "NoNewPrivileges=yes",
                        "PrivateDevices=no");
        stage.service("plain", "PrivateDevices=yes", "ExecStart=/bin/sleep 1000");
        assertThat(shown("plain", settings))
                .contains("ProtectSystem=no", "PrivateTmp=no", "PrivateDevices=yes");
    }

    @Test
    void whetherConditionsHeldIsShown() throws Exception {
        stage.serviceWith(
                "unmet",
                "ConditionPathExists=/\nConditionPathExists=/nowhere",
                "ExecStart=/bin/sleep 1000");
        stage.service("met", "ExecStart=/bin/sleep 1000");
        stage.keep("unmet.service");
        String results = "ConditionResult,AssertResult";
        assertThat(shown("met", results))
                .containsExactlyInAnyOrder("ConditionResult=no", "AssertResult=no");
        stage.start("met");
        stage.start("unmet");
        assertThat(shown("met", results))
                .containsExactlyInAnyOrder("ConditionResult=yes", "AssertResult=yes");
        assertThat(shown("unmet", results)) // assertions are checked only if conditions are met
                .containsExactlyInAnyOrder("ConditionResult=no", "AssertResult=no");
        assertThat(shown("unmet", "ConditionTimestamp").getFirst()).hasSizeGreaterThan(30);
        assertThat(Systemctl.of(stage).expect(3, "status", "unmet"))
                .contains("ConditionPathExists=/nowhere was not met")
                .doesNotContain("ConditionPathExists=/ was not met");
    }

    @Test
    void aChangedFileIsNoticedAndTakenUpByADaemonReload() throws Exception {
        stage.serviceWith("a", "Description=Before", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        String properties = "Description,NeedDaemonReload";
        assertThat(shown("a", properties))
                .containsExactlyInAnyOrder("Description=Before", "NeedDaemonReload=no");
        stage.serviceWith("a", "Description=After", "ExecStart=/bin/sleep 1000");
        assertThat(shown("a", properties))
                .containsExactlyInAnyOrder("Description=Before", "NeedDaemonReload=yes");
        String _ = Systemctl.of(stage).expect(0, "daemon-reload");
        assertThat(shown("a", properties))
                .containsExactlyInAnyOrder("Description=After", "NeedDaemonReload=no");
        assertThat(stage.status("a").description()).isEqualTo("After");
        stage.unit("a.service.d/more.conf", "[Unit]\nDescription=With a drop-in\n");
        assertThat(shown("a", "NeedDaemonReload")).containsExactly("NeedDaemonReload=yes");
        assertThat(stage.state("a")).isEqualTo("active/running success");
    }

    @Test
    @Needs(programs = "systemd-analyze")
    void theTimeOfEachStepOfABootIsKnown() throws Exception {
        stage.service("a", "ExecStart=/bin/sleep 1000");
        stage.start("a");
        for (String verb : List.of("time", "blame", "critical-chain")) {
            Tool analyze =
                    Tool.run(
                            Systemctl.of(stage).environment(),
                            "systemd-analyze",
                            "--user",
                            "--no-pager",
                            verb);
            assertThat(analyze.status()).as(verb + ": " + analyze.output()).isZero();
        }
    }
}
