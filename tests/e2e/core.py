"""What `make test` starts of all that `make test-all` does: one of each, for its time's sake.

CONTRIBUTING.md says which tests hold the truth of what is left out.
"""

from __future__ import annotations

from collections.abc import Iterable

# By what it is there for, the beginnings of names of tests.
CORE: dict[str, tuple[str, ...]] = {
    "FastAPI and Next.js": (
        "test_first_boot.py::test_first_start_is_healthy[e2e-web-app]",
        "test_first_boot.py::test_path_answers_through_the_proxy[e2e-web-app",
        "test_first_boot.py::test_frontend_reaches_the_backend[e2e-web-app]",
        "test_containers.py::test_users[e2e-web-app]",
        "test_containers.py::test_capabilities_are_those_documented[e2e-web-app]",
        "test_containers.py::test_root_is_read_only[e2e-web-app]",
        "test_containers.py::test_no_secret_file_is_in_an_image[e2e-web-app]",
        "test_containers.py::test_only_the_proxy_publishes_ports[e2e-web-app]",
        "test_containers.py::test_the_proxy_shares_no_network_with_data[e2e-web-app]",
        "test_containers.py::test_data_services_have_no_way_out[e2e-web-app]",
    ),
    "Python and Node": (
        "test_first_boot.py::test_first_start_is_healthy[e2e-python-node]",
        "test_first_boot.py::test_python_job_beside_node[e2e-python-node]",
    ),
    "a deployment under load": (
        "test_deploy.py::test_deployments_fail_no_request[2]",
        "test_deploy.py::test_a_broken_version_never_gets_a_request[does not start]",
        "test_deploy.py::test_a_failing_migration_stops_the_deployment",
        "test_deploy.py::test_a_rollback_goes_to_the_version_before_and_again_forward",
    ),
    "backup and restore": (
        "test_backup.py::test_what_was_acknowledged_before_a_backup_outlives_the_loss_of_everything",
        "test_backup.py::test_a_damaged_backup_is_refused_and_nothing_changes[_flip]",
        "test_backup.py::test_the_drill_proves_a_good_backup_and_leaves_nothing",
    ),
    "a pipeline": (
        "test_pipelines.py::test_a_push_puts_the_image_into_the_registry_by_digest",
        "test_pipelines.py::test_nothing_is_deployed_where_nobody_approves",
        "test_pipelines.py::test_the_server_runs_exactly_what_was_built",
    ),
    "a swarm": (
        "test_swarm.py::test_everything_is_healthy_and_answers",
        "test_swarm.py::test_no_secret_is_in_a_service_or_container",
        "test_swarm.py::test_rollback_goes_back_and_forward",
    ),
    "a platform": (
        "test_platforms.py::test_migrations_ran_once[fly]",
        "test_platforms.py::test_postgresql_by_its_parts_and_by_its_url[fly]",
        "test_platforms.py::test_the_worker_does_its_work[fly]",
        "test_platforms.py::test_the_frontend_reaches_the_backend_by_the_private_network[fly]",
    ),
    "an app of each family": (
        "test_node_workspaces.py::test_member_with_express_beside_packages[npm]",
        "test_node_servers.py::test_koa_compiled_by_tsc_and_tsc_alias_with_a_preloaded_module",
        "test_node_frameworks.py::test_sveltekit_with_a_form",
        "test_node_migrations.py::test_the_tool_runs_before_the_app[drizzle]",
        "test_node_without_port.py::test_a_worker_of_bullmq_and_node_cron_alone",
        "test_static_sites.py::test_react_beside_fastapi",
        "test_python_web.py::test_django_with_static_files_migrations_and_media",
        "test_python_without_port.py::test_a_bot_goes_on_and_is_deployed_again",
    ),
}
_NAMES = tuple(name for names in CORE.values() for name in names)


def is_core(test: str) -> bool:
    """Whether a test belongs to it, by its name from its file on."""
    return test.startswith(_NAMES)


def without_test(tests: Iterable[str]) -> list[str]:
    """What is listed and no test has."""
    known = list(tests)
    return [name for name in _NAMES if not any(test.startswith(name) for test in known)]
