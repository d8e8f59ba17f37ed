package io.holdfast.varlink.server;

import io.holdfast.varlink.ServiceInfo;
import io.holdfast.varlink.VarlinkException;
import io.holdfast.varlink.idl.Interface;
import io.holdfast.varlink.json.JsonObject;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * All services of a server by the name of their interface, including {@code org.varlink.service}.
 */
final class Services {
    private static final Interface BUILT_IN =
            Interface.parse(
                    """
                    # What every Varlink service tells of itself.
                    interface org.varlink.service

                    # Who serves here, and which interfaces.
                    method GetInfo() -> (
                        vendor: string,
                        product: string,
                        version: string,
                        url: string,
                        interfaces: []string
                    )

                    # The definition of one of the interfaces.
                    method GetInterfaceDescription(interface: string) -> (description: string)

                    # The interface is not served here.
                    error InterfaceNotFound(interface: string)

                    # The method, or its interface, is not served here.
                    error MethodNotFound(method: string)

                    # The method is defined, but does not do what was asked.
                    error MethodNotImplemented(method: string)

                    # A parameter is unknown, missing, of the wrong type or without sense.
                    error InvalidParameter(parameter: string)

                    # The caller may not do that.
                    error PermissionDenied()

                    # The method answers only calls that ask for more.
                    error ExpectedMore()

                    # The method answers only calls that ask for an upgrade.
                    error ExpectedUpgrade()
                    """);

    private final Map<String, Service> byName = new TreeMap<>();

    /**
     * @param identity the description of the service; its interfaces are replaced by those that are
     *     served
     * @throws IllegalArgumentException if an interface is served twice
     */
    Services(ServiceInfo identity, Collection<Service> services) {
        services.forEach(this::add);
        add(
                Service.of(BUILT_IN)
                        .method("GetInfo", _ -> info(identity).toJson())
                        .method("GetInterfaceDescription", this::describe)
                        .build());
    }

    private void add(Service service) {
        if (byName.putIfAbsent(service.definition().name(), service) != null) {
            throw new IllegalArgumentException(service.definition().name() + " is served already");
        }
    }

    private ServiceInfo info(ServiceInfo identity) {
        return new ServiceInfo(
                identity.vendor(),
                identity.product(),
                identity.version(),
                identity.url(),
                List.copyOf(byName.keySet()));
    }

    private JsonObject describe(Call call) {
        String name = call.parameters().string("interface");
        Service service = byName.get(name);
        if (service == null) {
            throw VarlinkException.interfaceNotFound(name);
        }
        return JsonObject.of("description", service.definition().toString());
    }

    /**
     * Returns the method with the qualified name.
     *
     * @throws VarlinkException MethodNotFound or MethodNotImplemented
     */
    Service.Served find(String qualified) {
        int dot = Math.max(0, qualified.lastIndexOf('.'));
        Service service = byName.get(qualified.substring(0, dot));
        String name = qualified.substring(Math.min(dot + 1, qualified.length()));
        if (service == null || service.definition().method(name).isEmpty()) {
            throw VarlinkException.methodNotFound(qualified);
        }
        return service.find(name)
                .orElseThrow(() -> VarlinkException.methodNotImplemented(qualified));
    }

    /** Returns whether a connection may be upgraded to another protocol. */
    boolean upgrade() {
        return byName.values().stream().anyMatch(Service::upgrades);
    }

    boolean takeDescriptors() {
        return byName.values().stream().anyMatch(Service::takesDescriptors);
    }
}
