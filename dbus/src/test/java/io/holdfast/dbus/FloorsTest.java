package io.holdfast.dbus;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.holdfast.core.testkit.SameOnEveryKernel;
import org.junit.jupiter.api.Test;

/**
 * The allowed imports between the packages of holdfast-dbus: wire, address, stream, each using only
 * those before it; then the connection and its objects, then the typed interfaces, and beside those
 * the generator of such interfaces.
 */
@SameOnEveryKernel
class FloorsTest {
    private static final String ROOT = "io.holdfast.dbus";
    private static final String WIRE = "io.holdfast.dbus.wire..";
    private static final String ADDRESS = "io.holdfast.dbus.address..";
    private static final String STREAM = "io.holdfast.dbus.stream..";
    private static final String TYPED = "io.holdfast.dbus.typed..";
    private static final String MARSHAL = "io.holdfast.dbus.marshal..";
    private static final String INTERFACES = "io.holdfast.dbus.typed";
    private static final String VALUE = "io.holdfast.dbus.typed.value..";
    private static final String GENERATE = "io.holdfast.dbus.generate..";

    private static final JavaClasses DBUS =
            new ClassFileImporter()
                    .withImportOption(new ImportOption.DoNotIncludeTests())
                    .importPackages(ROOT);

    @Test
    void allOfDbusIsLookedAt() {
        assertThat(DBUS.stream().map(JavaClass::getPackageName).distinct())
                .containsExactlyInAnyOrder(
                        ROOT,
                        "io.holdfast.dbus.address",
                        "io.holdfast.dbus.address.transport",
                        "io.holdfast.dbus.generate",
                        "io.holdfast.dbus.marshal",
                        "io.holdfast.dbus.stream",
                        "io.holdfast.dbus.typed",
                        "io.holdfast.dbus.typed.value",
                        "io.holdfast.dbus.wire",
                        "io.holdfast.dbus.wire.match",
                        "io.holdfast.dbus.wire.sasl");
    }

    @Test
    void noFloorImportsFromAbove() {
        noClasses()
                .that()
                .resideInAnyPackage(WIRE, MARSHAL)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ADDRESS, STREAM, ROOT, TYPED, GENERATE)
                .check(DBUS);
        noClasses()
                .that()
                .resideInAPackage(ADDRESS)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(STREAM, ROOT, TYPED, GENERATE)
                .check(DBUS);
        noClasses()
                .that()
                .resideInAPackage(STREAM)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(ROOT, TYPED, GENERATE)
                .check(DBUS);
        noClasses()
                .that()
                .resideInAPackage(ROOT)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(TYPED, GENERATE)
                .check(DBUS);
        noClasses()
                .that()
                .resideInAPackage(TYPED)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(GENERATE)
                .check(DBUS);
    }

    @Test
    void valuesKnowNothingOfInterfaces() {
        noClasses()
                .that()
                .resideInAPackage(VALUE)
                .should()
                .dependOnClassesThat()
                .resideInAnyPackage(INTERFACES, GENERATE)
                .check(DBUS);
    }

    /** Users of the client need no XML parser. */
    @Test
    void xmlIsReadByTheGeneratorAlone() {
        noClasses()
                .that()
                .resideOutsideOfPackage(GENERATE)
                .should()
                .dependOnClassesThat()
                .resideInAPackage("javax.xml..")
                .check(DBUS);
    }
}
