package io.holdfast.cli;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.cli.output.LineQueue;
import io.holdfast.cli.output.Output;
import java.io.PrintStream;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/**
 * Tests the dependencies between modules, and between packages of the command. Other modules test
 * their own packages.
 */
class FloorsTest {
    /** From the lowest floor up: a module uses only modules on floors below its own. */
    private static final List<List<String>> FLOORS =
            List.of(
                    List.of("core"),
                    List.of("dbus", "varlink", "journal"),
                    List.of("bus", "manager", "authority", "receiver"),
                    List.of("cli"));

    /**
     * The same for the packages of the command, below its root package: the subcommands under one
     * heading of the help do not use those under another; what {@code up} lays out for a manager is
     * known to all.
     */
    private static final List<List<String>> COMMAND =
            List.of(
                    List.of("cli.output"),
                    List.of("cli.command"),
                    List.of("cli.metrics"),
                    List.of("cli.up"),
                    List.of("cli.service", "cli.log", "cli.bus", "cli.permission", "cli.process"),
                    List.of("cli.tour"));

    /** A package within a room of the command. */
    private static final Pattern WITHIN = Pattern.compile("^(io\\.holdfast\\.cli\\.[^.]+)\\..*");

    private static final JavaClasses HOUSE =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .withImportOption(location -> !location.contains("-tests.jar"))
                    .importPackages("io.holdfast");

    @Test
    void everyRoomIsOnAFloor() {
        List<String> known = FLOORS.stream().flatMap(List::stream).toList();
        List<String> built =
                HOUSE.stream()
                        .map(type -> type.getPackageName().split("\\.")[2])
                        .distinct()
                        .toList();

        assertThat(known).containsAll(built);
        assertThat(built).contains("core", "varlink", "manager", "cli");
    }

    @Test
    void noRoomUsesOneAboveOrBesideIt() {
        assertFloors(FLOORS);
    }

    @Test
    void subcommandsUseNoneUnderAnotherHeading() {
        assertThat(
                        HOUSE.stream()
                                .map(JavaClass::getPackageName)
                                .map(name -> WITHIN.matcher(name).replaceFirst("$1"))
                                .distinct())
                .filteredOn(name -> name.startsWith("io.holdfast.cli."))
                .containsExactlyInAnyOrderElementsOf(
                        COMMAND.stream()
                                .flatMap(List::stream)
                                .map(room -> "io.holdfast." + room)
                                .toList());
        assertFloors(COMMAND);
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.cli.*..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.holdfast.cli")
                .check(HOUSE);
    }

    private static void assertFloors(List<List<String>> floors) {
        List<String> above = new ArrayList<>(floors.stream().flatMap(List::stream).toList());
        for (List<String> floor : floors) {
            above.removeAll(floor);
            for (String room : floor) {
                List<String> denied = new ArrayList<>(above);
                denied.addAll(floor);
                denied.remove(room);
                if (!denied.isEmpty()) {
                    noClasses()
                            .that()
                            .resideInAPackage(packages(room))
                            .should()
                            .dependOnClassesThat(
                                    resideInAnyPackage(
                                            denied.stream()
                                                    .map(FloorsTest::packages)
                                                    .toArray(String[]::new)))
                            .allowEmptyShould(true)
                            .check(HOUSE);
                }
            }
        }
    }

    /** Programs that only query an authority do not load the classes that decide. */
    @Test
    void theClientOfTheAuthorityUsesNothingOfIt() {
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.authority.client..")
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage("io.holdfast.authority..")
                                .and(not(resideInAPackage("io.holdfast.authority.client.."))))
                .check(HOUSE);
    }

    /** PAM is the exception: it needs an upcall. */
    @Test
    void callShapesAndSymbolsStayOnTheGround() {
        noClasses()
                .that()
                .resideOutsideOfPackages(
                        "io.holdfast.core.sys..",
                        "io.holdfast.core.wait",
                        "io.holdfast.authority.pam")
                .should()
                .dependOnClassesThat(
                        JavaClass.Predicates.belongToAnyOf(
                                java.lang.foreign.Linker.class,
                                java.lang.foreign.SymbolLookup.class,
                                java.lang.foreign.FunctionDescriptor.class))
                .check(HOUSE);
    }

    /** The state files know subjects, but not the classes that decide about them. */
    @Test
    void whatOutlivesTheAuthorityIsBelowIt() {
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.authority.survival")
                .should()
                .dependOnClassesThat(
                        resideInAnyPackage(
                                "io.holdfast.authority",
                                "io.holdfast.authority.action..",
                                "io.holdfast.authority.agent..",
                                "io.holdfast.authority.pam..",
                                "io.holdfast.authority.rules..",
                                "io.holdfast.dbus..",
                                "io.holdfast.varlink.."))
                .check(HOUSE);
        noClasses()
                .that()
                .resideInAPackage("io.holdfast.authority.subject..")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("io.holdfast.authority.survival")
                .check(HOUSE);
    }

    /** Each such wait needs a thread, and identifies a process that is not a child only by PID. */
    @Test
    void nobodyWaitsByProcessHandle() {
        noClasses()
                .should()
                .callMethod(ProcessHandle.class, "onExit")
                .orShould()
                .callMethod(Process.class, "onExit")
                .check(HOUSE);
    }

    /** Lines are escaped when they are written, so only one place may write them. */
    @Test
    void nobodyElseWritesToAStandardStream() {
        noClasses()
                .that()
                .doNotBelongToAnyOf(Output.class, LineQueue.class)
                .and()
                .doNotHaveSimpleName("Training") // runs only during the build
                .should()
                .dependOnClassesThat()
                .areAssignableTo(PrintStream.class)
                .orShould()
                .accessField(System.class, "out")
                .orShould()
                .accessField(System.class, "err")
                .orShould()
                .callMethod(Throwable.class, "printStackTrace")
                .check(HOUSE);
    }

    /**
     * The wall clock can be set at any time: by an administrator, by the network, or from the
     * hardware clock. So it is used only for display and for times of files; durations are measured
     * with a clock that cannot be set.
     */
    @Test
    void nobodyDecidesByTheWallClock() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(
                        "io.holdfast.authority.temporary.TemporaryAuthorizations")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.manager.socket.ManagedSocket")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.manager.scope.ManagedScope")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.manager.runtime.TriggeringUnit")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.manager.loop.DualTimestamp")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.manager.service.ServiceLife")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.manager.mount.Attachment")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.journal.JournalWriter")
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.receiver.store.StoredEntry")
                .and()
                .doNotHaveFullyQualifiedName(
                        "io.holdfast.receiver.store.Vacuum") // MaxRetentionSec=
                .and()
                .doNotHaveFullyQualifiedName(
                        "io.holdfast.manager.unit.file.UnitFolders") // times of files
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.core.process.Proc") // startTime()
                .and()
                .doNotHaveFullyQualifiedName("io.holdfast.cli.output.AgeText")
                .and()
                .doNotHaveFullyQualifiedName(
                        "io.holdfast.cli.log.forward.Forwarder") // how late it is, as a counter
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(Instant.class, "now")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.time.Clock.class)
                .check(HOUSE);
    }

    private static String packages(String room) {
        return "io.holdfast." + room + "..";
    }
}
