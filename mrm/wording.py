"""The command line's sentences in Russian and English."""

SENTENCES: dict[str, dict[str, str]] = {
    "stage.start": {"en": "Starting servers", "ru": "Запуск серверов"},
    "stage.pull.google_ads": {"en": "Pulling Google Ads", "ru": "Загрузка Google Ads"},
    "stage.pull.meta_ads": {"en": "Pulling Meta Ads", "ru": "Загрузка Meta Ads"},
    "stage.pull.yandex_direct": {"en": "Pulling Yandex.Direct", "ru": "Загрузка Яндекс Директа"},
    "stage.pull.ga4": {"en": "Pulling Google Analytics", "ru": "Загрузка Google Analytics"},
    "stage.pull.yandex_metrica": {"en": "Pulling Yandex Metrica", "ru": "Загрузка Яндекс Метрики"},
    "stage.dbt": {"en": "Building and testing models", "ru": "Сборка и проверка витрин"},
    "stage.reconcile": {"en": "Reconciling with platforms", "ru": "Сверка с кабинетами"},
    "stage.report": {"en": "Writing the report", "ru": "Подготовка отчёта"},
    "done": {"en": "Done in {seconds} s", "ru": "Готово за {seconds} с"},
    "reused": {"en": "Nothing changed since the last build, so it was kept.", "ru": "С прошлой сборки ничего не изменилось, она оставлена."},
    "column.source": {"en": "source", "ru": "источник"},
    "column.accounts": {"en": "accounts", "ru": "кабинеты"},
    "column.rows": {"en": "rows", "ru": "строки"},
    "column.data_through": {"en": "data through", "ru": "данные по"},
    "column.reconciled": {"en": "reconciled", "ru": "сверка"},
    "reconciled.exact": {"en": "✓ equal to the platform", "ru": "✓ совпадает с кабинетом"},
    "models": {
        "en": "Models built: {built}; tests passed: {tests_passed}, failed: {tests_failed}",
        "ru": "Собрано моделей: {built}; проверок пройдено: {tests_passed}, не пройдено: {tests_failed}",
    },
    "report": {"en": "Report (version {version}, findings: {findings}): {path}", "ru": "Отчёт (версия {version}, выводов: {findings}): {path}"},
    "next": {
        "en": "Next:\n  ./run query --metrics spend,clicks,ctr --by platform,currency --since {since} --until {until}{option}\n"
        "  ./run status{option}      what runs, URLs, login\n"
        "  ./run up{option}          everything, Dagster included\nHome: {home}",
        "ru": "Дальше:\n  ./run query --metrics spend,clicks,ctr --by platform,currency --since {since} --until {until}{option}\n"
        "  ./run status{option}      что работает, адреса, вход\n"
        "  ./run up{option}          всё вместе с Dagster\nКаталог: {home}",
    },
    "serving": {"en": "Starting API and dashboards …", "ru": "Запуск API и дашбордов …"},
    "login": {"en": "Login: {email}  password: {password}", "ru": "Вход: {email}  пароль: {password}"},
    "stop": {"en": "Ctrl-C stops everything.", "ru": "Ctrl-C останавливает всё."},
    "moved": {"en": "Port {wanted} is taken, using {port}.", "ru": "Порт {wanted} занят, взят {port}."},
    "dashboards": {"en": "Dashboards", "ru": "Дашборды"},
    "not_served": {"en": "API and dashboards do not run. ./run up starts them", "ru": "API и дашборды не запущены. Запуск: ./run up"},
    "nothing_yet": {
        "en": "There is nothing in {path} yet: ./run demo fills it with an agency to look at, ./run connect with an account of yours",
        "ru": "В {path} пока ничего нет: ./run demo наполнит каталог агентством для примера, ./run connect — вашим кабинетом",
    },
    "no_integrations": {"en": "No integrations yet. Try ./run demo", "ru": "Интеграций пока нет. Попробуйте ./run demo"},
}


def say(name: str, language: str, **values: object) -> str:
    """Return a sentence in a language, its values filled in."""
    return SENTENCES[name][language].format(**values)


def counted(number: int, noun: str) -> str:
    """Return a number with its English noun: 1 integration, 2 integrations."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
