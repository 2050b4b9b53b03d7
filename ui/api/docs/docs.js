SwaggerUIBundle({
  url: '../openapi.json',
  dom_id: '#docs',
  deepLinking: true,
  defaultModelsExpandDepth: 0,
  displayRequestDuration: true,
  validatorUrl: null, // else a badge of an outside validator is fetched
  requestInterceptor: (request) => {
    request.headers['X-FlowML'] = '1'
    return request
  },
})
