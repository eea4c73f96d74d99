def errors_as_json(get_response):
    return get_response
